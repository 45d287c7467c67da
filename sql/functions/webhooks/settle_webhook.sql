-- Says how a try went: sent, failed, gone (the receiver says that it is no more) or unsent (not tried).
-- Only the try that holds the lease may, so that a delivery is marked once. A subscription whose target is
-- gone, has failed for 20 deliveries in a row or for three days is switched off, and its admins are told,
-- once. The subscription is locked before the delivery, as a removal does. Definer, because no role may
-- write any of that.
create or replace function app_private.settle_webhook(
  hospital_id uuid, delivery_id uuid, lease uuid, kind text, status_code integer default null,
  error text default null, excerpt text default null, duration_ms integer default null,
  retry_after integer default null, most_attempts integer default 8)
returns app_public.webhook_delivery_status
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  most_failures constant integer := 20;
  longest_failing constant interval := interval '3 days';
  instant timestamptz := app_private.clock();
  target app_public.webhook_subscription;
  held app_public.webhook_delivery;
  settled app_public.webhook_delivery_status;
  cause text;
begin
  select subscription.* into target
  from app_public.webhook_subscription as subscription
  where subscription.hospital_id = settle_webhook.hospital_id
    and subscription.id = (
      select delivery.subscription_id
      from app_public.webhook_delivery as delivery
      where delivery.hospital_id = settle_webhook.hospital_id and delivery.id = delivery_id)
  for no key update;
  select * into held
  from app_public.webhook_delivery as delivery
  where delivery.hospital_id = settle_webhook.hospital_id and delivery.id = delivery_id
    and delivery.status = 'sending' and delivery.lease = settle_webhook.lease
  for no key update;
  if not found then
    return null;
  end if;

  settled := case
    when kind = 'sent' then 'delivered'
    when kind = 'gone' or kind = 'failed' and held.attempts >= most_attempts then 'failed'
    else 'pending'
  end::app_public.webhook_delivery_status;
  update app_public.webhook_delivery as delivery
  set status = settled,
    attempts = case when kind = 'unsent' then delivery.attempts - 1 else delivery.attempts end,
    next_attempt_at = case when settled = 'pending' then instant + case
      when kind = 'unsent' then interval '0'
      else greatest(app_private.webhook_pause(held.attempts), make_interval(secs => least(coalesce(retry_after, 0), 3600)))
    end end,
    leased_until = null,
    lease = null,
    last_status_code = settle_webhook.status_code,
    last_error = left(error, 500),
    response_excerpt = left(excerpt, 500),
    duration_ms = settle_webhook.duration_ms,
    ended_at = case when settled <> 'pending' then instant end
  where delivery.hospital_id = settle_webhook.hospital_id and delivery.id = delivery_id;
  if kind = 'unsent' then
    return settled;
  end if;

  update app_public.webhook_subscription as subscription
  set consecutive_failures = case settled when 'delivered' then 0 when 'failed' then subscription.consecutive_failures + 1
      else subscription.consecutive_failures end,
    failing_since = case when settled <> 'delivered' then coalesce(subscription.failing_since, instant) end
  where subscription.hospital_id = settle_webhook.hospital_id and subscription.id = target.id
  returning * into target;
  cause := case
    when kind = 'gone' then 'The receiver answered 410: it is gone.'
    when target.consecutive_failures >= most_failures then format('%s deliveries in a row have failed.', most_failures)
    when target.failing_since <= instant - longest_failing then 'It has failed for three days.'
  end;
  if cause is not null and target.status <> 'switched_off' then
    update app_public.webhook_subscription as subscription
    set status = 'switched_off', switched_off_at = instant, switch_off_reason = cause
    where subscription.hospital_id = settle_webhook.hospital_id and subscription.id = target.id;
    perform app_private.tell_of_webhook(settle_webhook.hospital_id, target.name);
  end if;
  return settled;
end
$$;

comment on function app_private.settle_webhook(uuid, uuid, uuid, text, integer, text, text, integer, integer, integer) is
  'Says how a try of a webhook went, and returns its state; null when the lease is not that of the caller any more.';

revoke execute on function app_private.settle_webhook(uuid, uuid, uuid, text, integer, text, text, integer, integer, integer) from public;
grant execute on function app_private.settle_webhook(uuid, uuid, uuid, text, integer, text, text, integer, integer, integer) to app_worker;
