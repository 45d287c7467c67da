create or replace function app_public.pause_webhook_subscription(subscription_id uuid)
returns app_public.webhook_subscription
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.webhook_subscription;
begin
  update app_public.webhook_subscription
  set status = 'paused'
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = subscription_id
  returning * into changed;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  return changed;
end
$$;

comment on function app_public.pause_webhook_subscription(uuid) is
  'Tells a system nothing until it is resumed. What waits stays; events in the meantime are not kept for it.';

revoke execute on function app_public.pause_webhook_subscription(uuid) from public;
grant execute on function app_public.pause_webhook_subscription(uuid) to app_admin;
