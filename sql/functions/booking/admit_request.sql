-- A request is a wish for a doctor and a time, without a seat: what no acceptance could mend (the rules
-- about the patient, the doctor and the day) refuses it at once; whether there is room is for the one who
-- accepts it to find. The patient is locked as in every booking.
create or replace function app_private.admit_request(wish app_public.appointment)
returns app_public.appointment
language plpgsql
as $$
begin
  perform app_private.guard_own_slot(wish.doctor_id);
  perform from app_public.patient
  where patient.hospital_id = wish.hospital_id and patient.id = wish.patient_id
  for no key update;

  wish.slot_id := null;
  wish.location_id := null;
  wish.during := app_private.request_time(wish.hospital_id, wish.doctor_id, lower(wish.during), wish.service_id);
  if exists (
    select from app_private.judge_booking(
      wish.hospital_id, null, wish.patient_id, wish.service_id, wish.during, wish.id,
      only_broken => true, doctor_id => wish.doctor_id))
  then
    perform app_private.refuse_booking(
      wish.hospital_id, null, wish.patient_id, wish.service_id, wish.during, wish.id, wish.doctor_id);
  end if;
  return wish;
end
$$;

comment on function app_private.admit_request(app_public.appointment) is
  'Completes a request with its time, or refuses it with the first broken rule.';

revoke execute on function app_private.admit_request(app_public.appointment) from public;
