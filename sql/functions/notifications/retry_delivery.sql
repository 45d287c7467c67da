create or replace function app_public.retry_delivery(delivery_id uuid)
returns app_public.notification_delivery
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  retried app_public.notification_delivery;
begin
  update app_public.notification_delivery as delivery
  set status = 'pending'
  where delivery.hospital_id = hospital and delivery.id = delivery_id
  returning * into retried;
  if not found then
    perform app_private.refuse('delivery_not_found', jsonb_build_object('delivery_id', delivery_id));
  end if;
  return retried;
end
$$;

comment on function app_public.retry_delivery(uuid) is
  'Tries a delivery again that was left out or given up, within a minute, also to an address that was refused before. What is no news any more is left out again.';

revoke execute on function app_public.retry_delivery(uuid) from public;
grant execute on function app_public.retry_delivery(uuid) to app_admin;
