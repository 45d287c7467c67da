-- The day is the last lock of every booking and held until its end: whoever has it sees each appointment that the
-- day has counted, and none that waits to count. A day that would come out fuller than it may be is closed at
-- its limit, so that nobody else is booked, and left to people.
-- Definer, because nobody may write days.
create or replace function app_private.repair_doctor_day(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  counted_day date := (finding.metadata ->> 'day')::date;
  before app_public.doctor_day;
  seated integer;
begin
  insert into app_public.doctor_day (hospital_id, doctor_id, day, max_patients)
  select doctor.hospital_id, doctor.id, counted_day, doctor.max_patients_per_day
  from app_public.doctor
  where doctor.hospital_id = finding.hospital_id and doctor.id = finding.entity_id
  on conflict do nothing;
  select * into before
  from app_public.doctor_day
  where doctor_day.hospital_id = finding.hospital_id
    and doctor_day.doctor_id = finding.entity_id
    and doctor_day.day = counted_day
  for no key update;
  if not found then
    return 'Nothing to do: the doctor is gone.';
  end if;

  select count(*) into seated
  from app_public.appointment
  join app_public.hospital on hospital.id = finding.hospital_id
  left join app_public.slot on slot.hospital_id = finding.hospital_id and slot.id = appointment.slot_id
  where appointment.hospital_id = finding.hospital_id
    and appointment.doctor_id = finding.entity_id
    and appointment.holds_seat
    and (coalesce(slot.starts_at, appointment.starts_at) at time zone hospital.time_zone)::date = counted_day;
  if before.booked_count <> least(seated, before.max_patients) then
    update app_public.doctor_day
    set booked_count = least(seated, before.max_patients)
    where doctor_day.hospital_id = finding.hospital_id
      and doctor_day.doctor_id = finding.entity_id
      and doctor_day.day = counted_day;
    perform app_private.record_repair(finding.hospital_id, 'doctor_day', finding.entity_id,
      jsonb_build_object('day', counted_day, 'booked_count', before.booked_count),
      jsonb_build_object('day', counted_day, 'booked_count', least(seated, before.max_patients)));
  elsif seated <= before.max_patients then
    return format('Nothing to do: the day counts %s.', seated);
  end if;
  return case when seated <= before.max_patients
    then format('The day counted %s and counts %s.', before.booked_count, seated) end;
end
$$;

comment on function app_private.repair_doctor_day(app_public.finding) is
  'Counts the day of a doctor anew; null where there are more patients than the day may hold.';

revoke execute on function app_private.repair_doctor_day(app_public.finding) from public;
