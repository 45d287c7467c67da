-- Who may change which week from when on: asked by the change and by its preview. A doctor changes no
-- week but the own; no week changes in the past, because what has been worked stays as it was.
create or replace function app_private.guard_schedule_change(
  hospital_id uuid, doctor_id uuid, effective_from date, rows app_public.schedule_row[], effective_until date)
returns void
language plpgsql stable
as $$
declare
  today date;
begin
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = guard_schedule_change.hospital_id and doctor.id = guard_schedule_change.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  if app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden', jsonb_build_object('doctor_id', doctor_id));
  end if;

  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = guard_schedule_change.hospital_id;
  if effective_from is null or not isfinite(effective_from) or effective_until < effective_from then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('effective_from', effective_from, 'effective_until', effective_until));
  end if;
  if effective_from < today then
    perform app_private.refuse('schedule_in_past',
      jsonb_build_object('effective_from', effective_from, 'today', today));
  end if;
  if rows is null then
    perform app_private.refuse('invalid_input', jsonb_build_object('rows', 'is missing'));
  end if;
  perform app_private.guard_schedule_rows(hospital_id, rows);
end
$$;

comment on function app_private.guard_schedule_change(uuid, uuid, date, app_public.schedule_row[], date) is
  'Refuses a change of a doctor''s week that this caller may not make, that begins in the past, or whose rows have faults.';

revoke execute on function app_private.guard_schedule_change(uuid, uuid, date, app_public.schedule_row[], date) from public;
grant execute on function app_private.guard_schedule_change(uuid, uuid, date, app_public.schedule_row[], date)
  to app_doctor, app_receptionist, app_admin;
