create or replace function app_public.resend_webhook_delivery(delivery_id uuid)
returns app_public.webhook_delivery
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  resent app_public.webhook_delivery;
begin
  update app_public.webhook_delivery as delivery
  set status = 'pending'
  where delivery.hospital_id = hospital and delivery.id = delivery_id
  returning * into resent;
  if not found then
    perform app_private.refuse('webhook_delivery_not_found', jsonb_build_object('delivery_id', delivery_id));
  end if;
  return resent;
end
$$;

comment on function app_public.resend_webhook_delivery(uuid) is
  'Sends a webhook again that was delivered or given up, within a minute, under the same id.';

revoke execute on function app_public.resend_webhook_delivery(uuid) from public;
grant execute on function app_public.resend_webhook_delivery(uuid) to app_admin;
