create or replace function app_public.create_webhook_subscription(name text, url text, events text[])
returns app_public.shown_webhook_secret
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  made uuid;
begin
  insert into app_public.webhook_subscription (hospital_id, name, url, events)
  values (hospital, create_webhook_subscription.name, create_webhook_subscription.url, create_webhook_subscription.events)
  returning webhook_subscription.id into made;
  return app_private.replace_webhook_secret(hospital, made);
end
$$;

comment on function app_public.create_webhook_subscription(text, text, text[]) is
  'Tells a system of events from now on, by signed requests to its URL. The secret is shown this once.';

revoke execute on function app_public.create_webhook_subscription(text, text, text[]) from public;
grant execute on function app_public.create_webhook_subscription(text, text, text[]) to app_admin;
