-- Says how a try went; only the try that holds the lease may. An answer of kind
--   sent      ends it;
--   rejected  ends it, because trying again is no use;
--   skipped   ends it, because this installation has no such channel;
--   failed    is tried again later and later, and given up after so many;
--   unsent    was not tried, because the transport is away: it counts as no attempt.
-- Definer, because no role may write messages.
create or replace function app_private.settle_health_message(
  hospital_id uuid, delivery_id uuid, lease uuid, kind text, error text default null, most_attempts integer default 8)
returns app_public.delivery_status
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  held app_private.health_alert_delivery;
  settled app_public.delivery_status;
begin
  select * into held
  from app_private.health_alert_delivery as delivery
  where delivery.hospital_id = settle_health_message.hospital_id and delivery.id = settle_health_message.delivery_id
    and delivery.status = 'sending' and delivery.lease = settle_health_message.lease
  for no key update;
  if not found then
    return null;
  end if;
  settled := case
    when kind = 'sent' then 'sent'
    when kind = 'skipped' then 'skipped'
    when kind = 'rejected' or kind = 'failed' and held.attempts >= most_attempts then 'failed'
    else 'pending'
  end::app_public.delivery_status;

  update app_private.health_alert_delivery as delivery
  set status = settled,
      attempts = case when kind = 'unsent' then delivery.attempts - 1 else delivery.attempts end,
      next_attempt_at = case when settled = 'pending'
        then instant + app_private.retry_pause(case kind when 'failed' then held.attempts else 1 end) end,
      leased_until = null,
      lease = null,
      outcome = case
        when settled = 'sent' then 'delivered'
        when settled = 'skipped' then 'no_transport'
        when kind = 'rejected' then 'rejected'
        when settled = 'failed' then 'gave_up'
      end,
      last_error = case when settled <> 'sent' then coalesce(left(error, 500), delivery.last_error) end,
      ended_at = case when settled <> 'pending' then instant end
  where delivery.hospital_id = settle_health_message.hospital_id and delivery.id = held.id;
  return settled;
end
$$;

comment on function app_private.settle_health_message(uuid, uuid, uuid, text, text, integer) is
  'Says how a try of a message about health alerts went, and returns its state; null when the lease is not that of the caller any more.';

revoke execute on function app_private.settle_health_message(uuid, uuid, uuid, text, text, integer) from public;
grant execute on function app_private.settle_health_message(uuid, uuid, uuid, text, text, integer) to app_worker;
