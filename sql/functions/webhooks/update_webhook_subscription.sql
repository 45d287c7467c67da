create or replace function app_public.update_webhook_subscription(
  subscription_id uuid, name text default null, url text default null, events text[] default null)
returns app_public.webhook_subscription
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.webhook_subscription;
begin
  update app_public.webhook_subscription
  set name = coalesce(update_webhook_subscription.name, webhook_subscription.name),
    url = coalesce(update_webhook_subscription.url, webhook_subscription.url),
    events = coalesce(update_webhook_subscription.events, webhook_subscription.events)
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = subscription_id
  returning * into changed;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  return changed;
end
$$;

comment on function app_public.update_webhook_subscription(uuid, text, text, text[]) is
  'Changes name, URL or events of a webhook subscription; what is left out stays. Deliveries that wait go to the new URL.';

revoke execute on function app_public.update_webhook_subscription(uuid, text, text, text[]) from public;
grant execute on function app_public.update_webhook_subscription(uuid, text, text, text[]) to app_admin;
