-- Says how a try went. Only the try that holds the lease may: who comes after its lease was given to
-- another one changes nothing, so that a delivery is marked once. An answer of kind
--   sent      ends it;
--   rejected  ends it, because trying again is no use; an address that does not exist is remembered;
--   failed    is tried again later and later, outside of quiet hours, and given up after so many;
--   unsent    was not tried, because the transport is away or the worker stops: it counts as no attempt.
-- Definer, because no role may write deliveries.
create or replace function app_private.settle_delivery(
  hospital_id uuid, delivery_id uuid, lease uuid, kind text, error text default null, reference text default null,
  bad_address text default null, most_attempts integer default 8)
returns app_public.delivery_status
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  short_error text := left(error, 500);
  held app_public.notification_delivery;
  next_time timestamptz;
  settled app_public.delivery_status;
begin
  select * into held
  from app_public.notification_delivery as delivery
  where delivery.hospital_id = settle_delivery.hospital_id and delivery.id = delivery_id
    and delivery.status = 'sending' and delivery.lease = settle_delivery.lease
  for no key update;
  if not found then
    return null;
  end if;

  settled := case
    when kind = 'sent' then 'sent'
    when kind = 'rejected' or kind = 'failed' and held.attempts >= most_attempts then 'failed'
    else 'pending'
  end::app_public.delivery_status;
  if settled = 'pending' then
    next_time := instant + app_private.retry_pause(case kind when 'failed' then held.attempts else 1 end);
    select coalesce(
        case when notification.priority = 'normal' then app_private.end_of_quiet_hours(
          next_time, setting.quiet_from, setting.quiet_until, coalesce(setting.time_zone, hospital.time_zone)) end,
        next_time)
    into next_time
    from app_public.notification
    join app_public.hospital on hospital.id = settle_delivery.hospital_id
    join app_private.reachable_at(settle_delivery.hospital_id, array[held.notification_id]) as reader
      on reader.notification_id = notification.id
    left join app_public.notification_setting as setting
      on setting.hospital_id = settle_delivery.hospital_id and setting.account_id = reader.reader_account_id
    where notification.hospital_id = settle_delivery.hospital_id and notification.id = held.notification_id;
  end if;

  update app_public.notification_delivery as delivery
  set status = settled,
    attempts = case when kind = 'unsent' then delivery.attempts - 1 else delivery.attempts end,
    next_attempt_at = next_time,
    leased_until = null,
    lease = null,
    outcome = case
      when settled = 'sent' then 'delivered'
      when kind = 'rejected' then 'rejected'
      when settled = 'failed' then 'gave_up'
    end,
    last_error = case when settled = 'sent' then null else coalesce(short_error, delivery.last_error) end,
    reference = coalesce(left(settle_delivery.reference, 500), delivery.reference),
    ended_at = case when settled <> 'pending' then instant end
  where delivery.hospital_id = settle_delivery.hospital_id and delivery.id = delivery_id;

  if kind = 'rejected' and bad_address is not null then
    insert into app_private.undeliverable_address (hospital_id, channel, address_hash, since)
    values (settle_delivery.hospital_id, held.channel,
      app_private.hash_address(settle_delivery.hospital_id, held.channel, bad_address), instant)
    on conflict do nothing;
  end if;
  return settled;
end
$$;

comment on function app_private.settle_delivery(uuid, uuid, uuid, text, text, text, text, integer) is
  'Says how a try of a delivery went, and returns its state; null when the lease is not that of the caller any more.';

revoke execute on function app_private.settle_delivery(uuid, uuid, uuid, text, text, text, text, integer) from public;
grant execute on function app_private.settle_delivery(uuid, uuid, uuid, text, text, text, text, integer) to app_worker;
