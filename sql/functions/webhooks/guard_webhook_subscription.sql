-- The life of a subscription, for every client: it names events that there are; an admin pauses and
-- resumes it, only the sending switches it off. Who is resumed starts with a clean slate. Definer, so that
-- the catalog of events is read whoever writes.
create or replace function app_private.guard_webhook_subscription() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  acting text := app_private.actor_role();
  unknown_events text[];
begin
  perform app_private.guard_tenant(acting, new.hospital_id);
  select array_agg(named.event order by named.event) into unknown_events
  from unnest(new.events) as named (event)
  where named.event is not null
    and not exists (select from app_public.webhook_event where webhook_event.name = named.event);
  if unknown_events is not null then
    perform app_private.refuse('unknown_webhook_event', jsonb_build_object('events', unknown_events));
  end if;
  if tg_op = 'UPDATE' and old.status <> new.status then
    if new.status = 'switched_off' and acting not in ('worker', 'operator')
      or (old.status, new.status) = ('switched_off', 'paused')
    then
      perform app_private.refuse('webhook_not_active', jsonb_build_object('subscription_id', old.id, 'status', old.status));
    end if;
    if new.status = 'active' then
      new.consecutive_failures := 0;
      new.failing_since := null;
      new.switched_off_at := null;
      new.switch_off_reason := null;
    end if;
  end if;
  return new;
end
$$;

comment on function app_private.guard_webhook_subscription() is
  'Trigger: holds a webhook subscription to the catalog of events and to its life.';

revoke execute on function app_private.guard_webhook_subscription() from public;

create or replace trigger webhook_subscription_is_guarded
  before insert or update of events, status on app_public.webhook_subscription
  for each row execute function app_private.guard_webhook_subscription();
