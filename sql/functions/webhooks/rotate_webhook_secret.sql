create or replace function app_public.rotate_webhook_secret(subscription_id uuid)
returns app_public.shown_webhook_secret
language plpgsql volatile
as $$
begin
  return app_private.replace_webhook_secret(app_private.request_hospital_id(), rotate_webhook_secret.subscription_id);
end
$$;

comment on function app_public.rotate_webhook_secret(uuid) is
  'Makes a new secret, shown this once. For 24 hours requests carry a signature of the old one, too.';

revoke execute on function app_public.rotate_webhook_secret(uuid) from public;
grant execute on function app_public.rotate_webhook_secret(uuid) to app_admin;
