-- The life of an alert: active, acknowledged, resolved, never back, for every client; it fires whenever a
-- statement names the status, so that acknowledging what somebody else has acknowledged is refused and
-- not ignored. Who and when come from the claims and the clock. Only triggers and jobs, which run as the
-- owner, may say that an alert ended by itself; no client is granted the column.
create or replace function app_private.change_stage_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status = 'resolved' or new.status not in ('acknowledged', 'resolved') or new.status = old.status then
    perform app_private.refuse('illegal_alert_transition',
      jsonb_build_object('alert_id', old.id, 'from', old.status, 'to', new.status));
  end if;
  if new.status = 'acknowledged' then
    new.acknowledged_at := instant;
    new.acknowledged_by := app_private.claim_account_id();
    return new;
  end if;
  new.resolved_at := instant;
  new.resolution := coalesce(new.resolution, 'manual');
  new.resolved_by := case when new.resolution = 'manual' then app_private.claim_account_id() end;
  return new;
end
$$;

comment on function app_private.change_stage_alert() is
  'Trigger: lets an alert be acknowledged and resolved, by whom and when.';

revoke execute on function app_private.change_stage_alert() from public;

create or replace trigger stage_alert_has_one_life
  before update of status on app_public.stage_alert
  for each row execute function app_private.change_stage_alert();
