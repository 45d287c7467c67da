-- Null leaves a detail as it is; clear empties what may be empty. A new slot duration is carried to the
-- slots ahead by the job that its message in the outbox starts; a new daily limit holds at once.
create or replace function app_public.update_doctor(
  doctor_id uuid, display_name text default null, specialty text default null,
  slot_duration interval default null, max_patients_per_day integer default null,
  staff_number text default null, clear text[] default '{}')
returns app_public.doctor
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.doctor;
begin
  perform app_private.guard_input(jsonb_build_object(
    'clear', case when not clear <@ array['specialty', 'staff_number'] then 'names more than specialty and staff_number' end));
  perform app_private.guard_doctor(
    hospital, display_name, specialty, slot_duration, max_patients_per_day, staff_number, doctor_id);
  update app_public.doctor
  set display_name = coalesce(update_doctor.display_name, doctor.display_name),
      specialty = coalesce(update_doctor.specialty, case when not 'specialty' = any (clear) then doctor.specialty end),
      slot_duration = coalesce(update_doctor.slot_duration, doctor.slot_duration),
      max_patients_per_day = coalesce(update_doctor.max_patients_per_day, doctor.max_patients_per_day),
      staff_number = coalesce(update_doctor.staff_number, case when not 'staff_number' = any (clear) then doctor.staff_number end)
  where doctor.hospital_id = hospital and doctor.id = doctor_id
  returning * into changed;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return changed;
end
$$;

comment on function app_public.update_doctor(uuid, text, text, interval, integer, text, text[]) is
  'Changes details of a doctor; what is left out or null stays as it is, and clear names what becomes empty: specialty, staff_number. A new slotDuration is carried to the slots ahead within moments, as replaceSchedule would. For admins.';

revoke execute on function app_public.update_doctor(uuid, text, text, interval, integer, text, text[]) from public;
grant execute on function app_public.update_doctor(uuid, text, text, interval, integer, text, text[]) to app_admin;
