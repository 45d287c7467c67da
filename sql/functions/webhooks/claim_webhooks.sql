-- Takes what is due of the active subscriptions of a hospital for sending, and gives it a lease: who does
-- not say until then how it went is taken for dead, and it is sent again under the same id. Of each
-- subscription, and of the hospital, only so many are under way at a time, so that a target that hangs holds
-- up nobody else; for these counts to hold, claims of a hospital come one after the other. Definer, because no role may write
-- deliveries nor read secrets.
create or replace function app_private.claim_webhooks(
  hospital_id uuid, most integer default 16, most_each integer default 4, lease_time interval default '2 minutes',
  most_attempts integer default 8)
returns setof app_private.claimed_webhook
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  new_lease uuid := app_private.new_id();
  room integer;
  due uuid[];
begin
  perform pg_advisory_xact_lock(hashtextextended('webhooks ' || hospital_id::text, 0));

  -- What killed whoever sent it every time.
  update app_public.webhook_delivery as delivery
  set status = 'failed', leased_until = null, lease = null, ended_at = instant
  where delivery.hospital_id = claim_webhooks.hospital_id and delivery.status = 'sending'
    and delivery.leased_until <= instant and delivery.attempts >= most_attempts;

  select greatest(0, most - count(*)) into room
  from app_public.webhook_delivery as busy
  where busy.hospital_id = claim_webhooks.hospital_id and busy.status = 'sending' and busy.leased_until > instant;

  select array_agg(picked.id) into due
  from (
    select ranked.id
    from (
      select candidate.id, candidate.due_at,
        row_number() over (partition by subscription.id order by candidate.due_at, candidate.id) as place
      from app_public.webhook_subscription as subscription
      cross join lateral (
        select count(*) as count
        from app_public.webhook_delivery as busy
        where busy.hospital_id = claim_webhooks.hospital_id and busy.subscription_id = subscription.id
          and busy.status = 'sending' and busy.leased_until > instant
      ) as under_way
      cross join lateral (
        select delivery.id, coalesce(delivery.next_attempt_at, delivery.leased_until) as due_at
        from app_public.webhook_delivery as delivery
        where delivery.hospital_id = claim_webhooks.hospital_id and delivery.subscription_id = subscription.id
          and delivery.status in ('pending', 'sending')
          and coalesce(delivery.next_attempt_at, delivery.leased_until) <= instant
        order by coalesce(delivery.next_attempt_at, delivery.leased_until), delivery.id
        limit greatest(0, most_each - under_way.count)
        for no key update skip locked
      ) as candidate
      where subscription.hospital_id = claim_webhooks.hospital_id and subscription.status = 'active'
    ) as ranked
    order by ranked.place, ranked.due_at, ranked.id
    limit room
  ) as picked;

  update app_public.webhook_delivery as delivery
  set status = 'sending',
    attempts = delivery.attempts + 1,
    next_attempt_at = null,
    leased_until = instant + lease_time,
    lease = new_lease
  where delivery.hospital_id = claim_webhooks.hospital_id and delivery.id = any (due);

  return query
    select delivery.id, subscription.id, delivery.lease, subscription.url,
      array(
        select known.secret
        from app_private.webhook_secret as known
        where known.hospital_id = claim_webhooks.hospital_id and known.subscription_id = subscription.id
          and (known.expires_at is null or known.expires_at > instant)
        order by known.expires_at desc nulls first),
      delivery.event, delivery.event_id, delivery.payload,
      to_char(delivery.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    from app_public.webhook_delivery as delivery
    join app_public.webhook_subscription as subscription
      on subscription.hospital_id = claim_webhooks.hospital_id and subscription.id = delivery.subscription_id
    where delivery.hospital_id = claim_webhooks.hospital_id and delivery.id = any (due) and delivery.lease = new_lease
    order by delivery.occurred_at, delivery.id;
end
$$;

comment on function app_private.claim_webhooks(uuid, integer, integer, interval, integer) is
  'Takes due webhooks of a hospital for sending, so that at most so many, and so many of each subscription, are under way, until a lease ends.';

revoke execute on function app_private.claim_webhooks(uuid, integer, integer, interval, integer) from public;
grant execute on function app_private.claim_webhooks(uuid, integer, integer, interval, integer) to app_worker;
