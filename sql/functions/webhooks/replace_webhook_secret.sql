-- Makes the secret of a subscription: 256 random bits, told once. The one before signs as well for 24
-- hours, those before that no more. Definer, because nobody may read or write secrets.
create or replace function app_private.replace_webhook_secret(hospital_id uuid, subscription_id uuid)
returns app_public.shown_webhook_secret
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  shown app_public.shown_webhook_secret;
begin
  if hospital_id is distinct from app_private.claim_hospital_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.webhook_subscription
  where webhook_subscription.hospital_id = replace_webhook_secret.hospital_id
    and webhook_subscription.id = replace_webhook_secret.subscription_id
  for no key update;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;

  delete from app_private.webhook_secret as known
  where known.hospital_id = replace_webhook_secret.hospital_id
    and known.subscription_id = replace_webhook_secret.subscription_id and known.expires_at is not null;
  update app_private.webhook_secret as known
  set expires_at = instant + interval '24 hours'
  where known.hospital_id = replace_webhook_secret.hospital_id
    and known.subscription_id = replace_webhook_secret.subscription_id;
  if found then
    update app_public.webhook_subscription
    set secret_rotated_at = instant
    where webhook_subscription.hospital_id = replace_webhook_secret.hospital_id
      and webhook_subscription.id = replace_webhook_secret.subscription_id;
  end if;
  shown.subscription_id := replace_webhook_secret.subscription_id;
  shown.secret := 'whsec_' || encode(
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64');
  insert into app_private.webhook_secret (hospital_id, subscription_id, secret)
  values (replace_webhook_secret.hospital_id, shown.subscription_id, shown.secret);
  return shown;
end
$$;

comment on function app_private.replace_webhook_secret(uuid, uuid) is
  'Makes a new secret of a webhook subscription; what it returns cannot be read again.';

revoke execute on function app_private.replace_webhook_secret(uuid, uuid) from public;
grant execute on function app_private.replace_webhook_secret(uuid, uuid) to app_admin;
