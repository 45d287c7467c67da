-- The life of a health alert, for every client: active, acknowledged, resolved. Who and when come from the
-- claims and the clock. That a problem is gone by itself, and that one is back so soon that it is the same
-- alert, is said through columns that no client is granted. Definer, so that the refusal is the same for
-- every role.
create or replace function app_private.guard_health_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status = 'resolved' and new.status = 'active' and old.is_settled and new.times_raised > old.times_raised then
    new.is_settled := false;
    new.acknowledged_at := null;
    new.acknowledged_by := null;
    new.resolved_at := null;
    new.resolved_by := null;
    new.note := null;
    return new;
  end if;
  if old.status = 'resolved' or new.status = 'active' or new.status = old.status then
    perform app_private.refuse('illegal_alert_transition',
      jsonb_build_object('alert_id', old.id, 'from', old.status, 'to', new.status));
  end if;
  if new.status = 'acknowledged' then
    new.acknowledged_at := instant;
    new.acknowledged_by := app_private.claim_account_id();
    return new;
  end if;
  new.resolved_at := instant;
  new.resolved_by := case when not new.is_settled then app_private.claim_account_id() end;
  return new;
end
$$;

comment on function app_private.guard_health_alert() is
  'Trigger: lets a health alert be acknowledged and resolved, by whom and when, and be raised again.';

revoke execute on function app_private.guard_health_alert() from public;

create or replace trigger health_alert_has_one_life
  before update of status, note on app_public.health_alert
  for each row execute function app_private.guard_health_alert();
