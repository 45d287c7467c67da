-- What waited while a subscription was not told goes out when it is resumed; what is older than a week
-- is given up. Definer, because no role may write deliveries.
create or replace function app_private.resume_webhook_deliveries() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  update app_public.webhook_delivery as delivery
  set status = 'failed', next_attempt_at = null, ended_at = instant,
    last_error = 'It had waited for more than seven days when its subscription was resumed.'
  where delivery.hospital_id = new.hospital_id and delivery.subscription_id = new.id
    and delivery.status = 'pending' and delivery.created_at < instant - interval '7 days';
  update app_public.webhook_delivery as delivery
  set next_attempt_at = instant
  where delivery.hospital_id = new.hospital_id and delivery.subscription_id = new.id
    and delivery.status = 'pending' and delivery.next_attempt_at > instant;
  return null;
end
$$;

comment on function app_private.resume_webhook_deliveries() is
  'Trigger: sends what waited when a webhook subscription is resumed, and gives up what is a week old.';

revoke execute on function app_private.resume_webhook_deliveries() from public;

create or replace trigger webhook_deliveries_are_resumed
  after update of status on app_public.webhook_subscription
  for each row when (old.status <> 'active' and new.status = 'active')
  execute function app_private.resume_webhook_deliveries();
