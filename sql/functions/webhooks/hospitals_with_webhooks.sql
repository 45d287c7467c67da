-- Of the hospitals of a batch of messages, those that tell somebody: one look a batch of the relay.
create or replace function app_private.hospitals_with_webhooks(hospital_ids uuid[])
returns setof uuid
language sql stable
as $$
  select hospital.id
  from unnest(hospital_ids) as hospital (id)
  where exists (
    select from app_public.webhook_subscription
    where webhook_subscription.hospital_id = hospital.id and webhook_subscription.status = 'active');
$$;

comment on function app_private.hospitals_with_webhooks(uuid[]) is
  'Of these hospitals, those with an active webhook subscription.';

revoke execute on function app_private.hospitals_with_webhooks(uuid[]) from public;
grant execute on function app_private.hospitals_with_webhooks(uuid[]) to app_worker;
