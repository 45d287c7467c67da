-- One plain insert; the trigger decides. What is returned is the appointment: staff read vital signs only
-- with the record, which leaves a trace.
-- No grant to app_receptionist and app_admin: taking vital signs is medical work.
create or replace function app_public.record_vitals(
  appointment_id uuid,
  systolic integer default null,
  diastolic integer default null,
  heart_rate integer default null,
  respiratory_rate integer default null,
  oxygen_saturation integer default null,
  temperature numeric default null,
  weight numeric default null,
  height numeric default null,
  note text default null,
  corrects uuid default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  visit app_public.appointment;
begin
  perform app_private.guard_input(jsonb_build_object(
    'systolic', case
      when systolic not between 30 and 300 then 'is not 30 to 300 mmHg'
      when (systolic is null) <> (diastolic is null) then 'comes with diastolic'
      when systolic <= diastolic then 'is not above diastolic' end,
    'diastolic', case when diastolic not between 10 and 250 then 'is not 10 to 250 mmHg' end,
    'heart_rate', case when heart_rate not between 10 and 350 then 'is not 10 to 350 a minute' end,
    'respiratory_rate', case when respiratory_rate not between 2 and 120 then 'is not 2 to 120 a minute' end,
    'oxygen_saturation', case when oxygen_saturation not between 30 and 100 then 'is not 30 to 100 percent' end,
    'temperature', case when temperature not between 20 and 45 then 'is not 20 to 45 degrees Celsius' end,
    'weight', case when weight <= 0 or weight > 700 then 'is not above 0 and up to 700 kg' end,
    'height', case when height not between 15 and 280 then 'is not 15 to 280 cm' end,
    'note', case when length(note) > 2000 then 'has more than 2000 characters' end,
    'vitals', case when num_nonnulls(systolic, diastolic, heart_rate, respiratory_rate, oxygen_saturation, temperature, weight, height) = 0
      then 'measure nothing' end));
  insert into app_public.vitals_entry (
    hospital_id, appointment_id, systolic, diastolic, heart_rate, respiratory_rate, oxygen_saturation,
    temperature, weight, height, note, corrects)
  values (
    hospital, record_vitals.appointment_id, record_vitals.systolic, record_vitals.diastolic, record_vitals.heart_rate,
    record_vitals.respiratory_rate, record_vitals.oxygen_saturation, record_vitals.temperature, record_vitals.weight,
    record_vitals.height, record_vitals.note, record_vitals.corrects);

  select * into visit
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = record_vitals.appointment_id;
  return visit;
end
$$;

comment on function app_public.record_vitals(
  uuid, integer, integer, integer, integer, integer, numeric, numeric, numeric, text, uuid) is
  'Records vital signs of a patient who has checked in: mmHg, beats and breaths a minute, percent, degrees Celsius, kg, cm; at least one. A mistake is corrected by recording again with corrects. For nurses, and doctors for their own visits.';

revoke execute on function app_public.record_vitals(
  uuid, integer, integer, integer, integer, integer, numeric, numeric, numeric, text, uuid) from public;
grant execute on function app_public.record_vitals(
  uuid, integer, integer, integer, integer, integer, numeric, numeric, numeric, text, uuid) to app_doctor, app_nurse;
