-- What is due on a channel that this installation has no transport for. It is left out and not kept: who
-- gets a transport later does not want the news of weeks to go out at once. Definer, because no role may
-- write deliveries.
create or replace function app_private.skip_deliveries(hospital_id uuid, channel app_public.delivery_channel)
returns integer
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
  skipped integer;
begin
  with due as materialized (
    select delivery.id
    from app_public.notification_delivery as delivery
    where delivery.hospital_id = skip_deliveries.hospital_id and delivery.channel = skip_deliveries.channel
      and delivery.status in ('pending', 'sending')
      and coalesce(delivery.next_attempt_at, delivery.leased_until) <= greatest(instant, now())
      and case delivery.status when 'sending' then delivery.leased_until <= now() else delivery.next_attempt_at <= instant end
    order by coalesce(delivery.next_attempt_at, delivery.leased_until)
    limit 1000
    for no key update skip locked
  )
  update app_public.notification_delivery as delivery
  set status = 'skipped', outcome = 'no_transport', next_attempt_at = null, leased_until = null, lease = null,
    ended_at = instant
  from due
  where delivery.hospital_id = skip_deliveries.hospital_id and delivery.id = due.id;
  get diagnostics skipped = row_count;
  return skipped;
end
$$;

comment on function app_private.skip_deliveries(uuid, app_public.delivery_channel) is
  'Leaves out the due deliveries of a channel without a transport, at most 1000, and returns how many.';

revoke execute on function app_private.skip_deliveries(uuid, app_public.delivery_channel) from public;
grant execute on function app_private.skip_deliveries(uuid, app_public.delivery_channel) to app_worker;
