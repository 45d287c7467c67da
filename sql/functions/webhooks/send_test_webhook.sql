create or replace function app_public.send_test_webhook(subscription_id uuid)
returns app_public.webhook_delivery
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  target app_public.webhook_subscription;
  planned app_public.webhook_delivery;
begin
  select * into target
  from app_public.webhook_subscription
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = send_test_webhook.subscription_id;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  if target.status <> 'active' then
    perform app_private.refuse('webhook_not_active',
      jsonb_build_object('subscription_id', subscription_id, 'status', target.status));
  end if;
  insert into app_public.webhook_delivery (hospital_id, subscription_id, event)
  values (hospital, target.id, 'webhook.test')
  returning * into planned;
  return planned;
end
$$;

comment on function app_public.send_test_webhook(uuid) is
  'Sends the event webhook.test, without data, to an active webhook subscription within a minute.';

revoke execute on function app_public.send_test_webhook(uuid) from public;
grant execute on function app_public.send_test_webhook(uuid) to app_admin;
