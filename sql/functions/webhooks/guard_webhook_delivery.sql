-- The life of a delivery, for every client: it waits, is sent, ends; what has ended starts anew when an
-- admin says so. Definer, like every trigger.
create or replace function app_private.guard_webhook_delivery() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  acting text := app_private.actor_role();
begin
  perform app_private.guard_tenant(acting, old.hospital_id);
  if old.status in ('delivered', 'failed') and new.status = 'pending' then
    new.attempts := 0;
    new.next_attempt_at := app_private.clock();
    new.leased_until := null;
    new.lease := null;
    new.ended_at := null;
  elsif (acting not in ('worker', 'operator')
      and not (acting = 'admin' and (old.status, new.status) = ('pending', 'failed') and pg_trigger_depth() > 1))
    or (old.status, new.status) not in (
      ('pending', 'sending'), ('pending', 'failed'),
      ('sending', 'sending'), ('sending', 'pending'), ('sending', 'delivered'), ('sending', 'failed'))
  then
    perform app_private.refuse('webhook_delivery_not_ended',
      jsonb_build_object('delivery_id', old.id, 'status', old.status));
  end if;
  return new;
end
$$;

comment on function app_private.guard_webhook_delivery() is
  'Trigger: lets a webhook delivery take its course, and start anew after its end.';

revoke execute on function app_private.guard_webhook_delivery() from public;

create or replace trigger webhook_delivery_takes_its_course
  before update of status on app_public.webhook_delivery
  for each row execute function app_private.guard_webhook_delivery();
