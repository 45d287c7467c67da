-- The life of a delivery, for every client: it waits, is sent, ends. What was sent stays sent; what was
-- left out or given up starts anew when an admin says so, and so does its address: whoever retries knows
-- better than what a mail server said once. Definer, because nobody may write what is remembered of
-- addresses.
create or replace function app_private.guard_delivery() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status in ('skipped', 'failed') and new.status = 'pending' and old.channel <> 'in_app' then
    new.attempts := 0;
    new.next_attempt_at := instant;
    new.leased_until := null;
    new.lease := null;
    new.outcome := null;
    new.ended_at := null;
    delete from app_private.undeliverable_address as undeliverable
    using app_private.reachable_at(old.hospital_id, array[old.notification_id]) as reader
    where undeliverable.hospital_id = old.hospital_id and undeliverable.channel = old.channel
      and undeliverable.address_hash = app_private.hash_address(old.hospital_id, old.channel,
        case old.channel when 'email' then reader.email when 'sms' then reader.phone else reader.chat end);
  elsif app_private.actor_role() not in ('worker', 'operator')
    or (old.status, new.status) not in (
      ('pending', 'sending'), ('pending', 'skipped'), ('pending', 'failed'),
      ('sending', 'sending'), ('sending', 'pending'), ('sending', 'sent'), ('sending', 'skipped'), ('sending', 'failed'))
  then
    perform app_private.refuse('delivery_not_retryable', jsonb_build_object('delivery_id', old.id, 'status', old.status));
  end if;
  return new;
end
$$;

comment on function app_private.guard_delivery() is
  'Trigger: lets a delivery take its course, and start anew after it was left out or given up.';

revoke execute on function app_private.guard_delivery() from public;

create or replace trigger delivery_takes_its_course
  before update of status on app_public.notification_delivery
  for each row execute function app_private.guard_delivery();
