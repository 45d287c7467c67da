-- What a doctor's details must be, for creating and for changing. A null is not looked at.
create or replace function app_private.guard_doctor(
  hospital_id uuid, display_name text, specialty text, slot_duration interval, max_patients_per_day integer,
  staff_number text, except_doctor_id uuid default null)
returns void
language plpgsql stable
as $$
begin
  perform app_private.guard_input(jsonb_build_object(
    'display_name', case when length(btrim(display_name)) not between 1 and 200 then 'is not 1 to 200 characters long' end,
    'specialty', case when length(btrim(specialty)) not between 1 and 100 then 'is not 1 to 100 characters long' end,
    'slot_duration', case when slot_duration not between interval '5 minutes' and interval '8 hours' then 'is not 5 minutes to 8 hours' end,
    'max_patients_per_day', case when max_patients_per_day not between 1 and 500 then 'is not 1 to 500' end,
    'staff_number', case when length(btrim(staff_number)) not between 1 and 50 then 'is not 1 to 50 characters long' end));
  if exists (
    select from app_public.doctor
    where doctor.hospital_id = guard_doctor.hospital_id
      and doctor.staff_number = guard_doctor.staff_number
      and doctor.id is distinct from except_doctor_id)
  then
    perform app_private.refuse('staff_number_taken', jsonb_build_object('staff_number', staff_number));
  end if;
end
$$;

comment on function app_private.guard_doctor(uuid, text, text, interval, integer, text, uuid) is
  'Refuses details of a doctor that are not valid, all faults at once, or a staff number that another doctor has.';

revoke execute on function app_private.guard_doctor(uuid, text, text, interval, integer, text, uuid) from public;
grant execute on function app_private.guard_doctor(uuid, text, text, interval, integer, text, uuid) to app_admin;
