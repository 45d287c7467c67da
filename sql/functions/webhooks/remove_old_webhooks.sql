-- Definer, because no role may delete deliveries.
create or replace function app_private.remove_old_webhooks(hospital_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  limit_of_memory timestamptz := app_private.clock() - interval '30 days';
  removed integer;
begin
  delete from app_public.webhook_delivery as delivery
  where delivery.hospital_id = remove_old_webhooks.hospital_id and delivery.ended_at < limit_of_memory;
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_old_webhooks(uuid) is
  'Deletes the webhook deliveries of a hospital that ended more than 30 days ago, and returns how many.';

revoke execute on function app_private.remove_old_webhooks(uuid) from public;
grant execute on function app_private.remove_old_webhooks(uuid) to app_worker;
