-- An alert ends with the wait that it tells of: with the vital signs, with the start of the consultation,
-- or when the patient is done or gone. Whoever raises one holds the appointment meanwhile, so the one
-- cannot slip past the other. The appointment is locked before its alerts, as in raise_stage_alerts.
create or replace function app_private.settle_stage_alerts() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.stage_alert
  set status = 'resolved', resolution = 'auto'
  where stage_alert.hospital_id = new.hospital_id
    and stage_alert.appointment_id = new.id
    and stage_alert.status <> 'resolved'
    and (new.status <> 'checked_in' or stage_alert.kind = 'no_vitals');
  return null;
end
$$;

comment on function app_private.settle_stage_alerts() is
  'Trigger: resolves the alerts of an appointment whose wait is over.';

revoke execute on function app_private.settle_stage_alerts() from public;

create or replace trigger stage_alerts_end_with_the_wait
  after update of status, vitals_recorded_at on app_public.appointment
  for each row when (
    old.status = 'checked_in'
    and (new.status <> 'checked_in' or new.vitals_recorded_at is distinct from old.vitals_recorded_at))
  execute function app_private.settle_stage_alerts();
