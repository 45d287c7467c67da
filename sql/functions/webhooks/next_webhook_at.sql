-- When something of a hospital is due next, of active subscriptions only.
create or replace function app_private.next_webhook_at(hospital_id uuid)
returns timestamptz
language sql stable
as $$
  select min(first.due_at)
  from app_public.webhook_subscription as subscription
  cross join lateral (
    select coalesce(delivery.next_attempt_at, delivery.leased_until) as due_at
    from app_public.webhook_delivery as delivery
    where delivery.hospital_id = next_webhook_at.hospital_id and delivery.subscription_id = subscription.id
      and delivery.status in ('pending', 'sending')
    order by coalesce(delivery.next_attempt_at, delivery.leased_until)
    limit 1
  ) as first
  where subscription.hospital_id = next_webhook_at.hospital_id and subscription.status = 'active';
$$;

comment on function app_private.next_webhook_at(uuid) is 'When a webhook of a hospital is due next; null: nothing waits.';

revoke execute on function app_private.next_webhook_at(uuid) from public;
grant execute on function app_private.next_webhook_at(uuid) to app_worker;
