-- One look by index a channel, whatever the planner knows: of a table in which nearly everything was sent
-- long ago it would rather read all to find the first row that was not. Leases last by the time that really passes.
create or replace function app_private.due_channels(hospital_id uuid)
returns app_public.delivery_channel[]
language plpgsql stable
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return array(
    select way.channel
    from unnest(array['email', 'sms', 'chat']::app_public.delivery_channel[]) as way (channel)
    where exists (
      select from app_public.notification_delivery as delivery
      where delivery.hospital_id = due_channels.hospital_id and delivery.channel = way.channel
        and delivery.status in ('pending', 'sending')
        and coalesce(delivery.next_attempt_at, delivery.leased_until) <= greatest(instant, now())
        and case delivery.status when 'sending' then delivery.leased_until <= now() else delivery.next_attempt_at <= instant end));
end
$$;

comment on function app_private.due_channels(uuid) is 'The channels by which a hospital has something to send now.';

revoke execute on function app_private.due_channels(uuid) from public;
grant execute on function app_private.due_channels(uuid) to app_worker;
