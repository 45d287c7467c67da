create or replace function app_public.resume_webhook_subscription(subscription_id uuid)
returns app_public.webhook_subscription
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.webhook_subscription;
begin
  update app_public.webhook_subscription
  set status = 'active'
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = subscription_id
  returning * into changed;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resume_webhook_subscription(uuid) is
  'Tells a system again that was paused or switched off. What waits and is less than seven days old goes out.';

revoke execute on function app_public.resume_webhook_subscription(uuid) from public;
grant execute on function app_public.resume_webhook_subscription(uuid) to app_admin;
