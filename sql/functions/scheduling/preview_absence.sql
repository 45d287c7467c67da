-- The same judge, the same appointments and the same words as the absence itself; only the slots are
-- counted instead of closed.
create or replace function app_public.preview_absence(
  doctor_id uuid,
  type app_public.absence_type,
  first_day date,
  last_day date,
  start_time time default null,
  end_time time default null)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  ahead tstzrange;
  closed integer;
begin
  if app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
  ahead := tstzrange(app_private.clock(), null) * app_private.judge_absence(
    hospital, doctor_id, first_day, last_day, start_time, end_time);

  select count(*) into closed
  from app_public.slot
  where slot.hospital_id = hospital
    and slot.doctor_id = preview_absence.doctor_id
    and slot.during && ahead
    and slot.withdrawn_at is null
    and slot.absence_id is null;
  return app_private.closing_change(
    closed,
    array(select visit from app_private.find_affected(hospital, doctor_id, ahead) as visit),
    is_cancelling => type = 'emergency', is_telling => true);
end
$$;

comment on function app_public.preview_absence(uuid, app_public.absence_type, date, date, time, time) is
  'What createAbsence with these arguments would do and which appointments it would touch, with other doctors who could take each; nothing is changed. Refused as createAbsence would be.';

revoke execute on function app_public.preview_absence(uuid, app_public.absence_type, date, date, time, time) from public;
grant execute on function app_public.preview_absence(uuid, app_public.absence_type, date, date, time, time)
  to app_doctor, app_receptionist, app_admin;
