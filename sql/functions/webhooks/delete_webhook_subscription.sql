create or replace function app_public.delete_webhook_subscription(subscription_id uuid)
returns app_public.webhook_subscription
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  removed app_public.webhook_subscription;
begin
  delete from app_public.webhook_subscription
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = subscription_id
  returning * into removed;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  return removed;
end
$$;

comment on function app_public.delete_webhook_subscription(uuid) is
  'Removes a webhook subscription with its secrets and all of its deliveries.';

revoke execute on function app_public.delete_webhook_subscription(uuid) from public;
grant execute on function app_public.delete_webhook_subscription(uuid) to app_admin;
