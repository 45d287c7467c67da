-- Who waits for a seat of this doctor, by name or by specialty, and could be offered one: active patients
-- without an open offer, whose days are not over and begin within the horizon. The rest of the rules is
-- the judge's.
create or replace function app_private.waits_for_doctor(hospital_id uuid, doctor_id uuid)
returns setof app_public.waitlist_entry
language plpgsql stable rows 100
as $$
declare
  house record;
begin
  select doctor.specialty,
    (app_private.clock() at time zone hospital.time_zone)::date as today,
    (app_private.clock() at time zone hospital.time_zone)::date + hospital.booking_horizon_days as last_bookable_day
  into house
  from app_public.hospital
  join app_public.doctor
    on doctor.hospital_id = waits_for_doctor.hospital_id and doctor.id = waits_for_doctor.doctor_id
    and doctor.is_active and doctor.is_available
  where hospital.id = waits_for_doctor.hospital_id;
  if not found then
    return;
  end if;

  return query
  select entry.*
  from (
    select of_doctor.*
    from app_public.waitlist_entry as of_doctor
    where of_doctor.hospital_id = waits_for_doctor.hospital_id
      and of_doctor.doctor_id = waits_for_doctor.doctor_id
      and of_doctor.status = 'waiting'
    union all
    select of_specialty.*
    from app_public.waitlist_entry as of_specialty
    where of_specialty.hospital_id = waits_for_doctor.hospital_id
      and of_specialty.specialty = house.specialty
      and of_specialty.status = 'waiting'
  ) as entry
  join app_public.patient
    on patient.hospital_id = waits_for_doctor.hospital_id and patient.id = entry.patient_id
    and patient.is_active and patient.status = 'active'
  where entry.last_day >= house.today
    and entry.first_day <= house.last_bookable_day
    and not exists (
      select from app_public.waitlist_offer
      where waitlist_offer.hospital_id = waits_for_doctor.hospital_id
        and waitlist_offer.patient_id = entry.patient_id
        and waitlist_offer.outcome = 'open')
  order by entry.id;
end
$$;

comment on function app_private.waits_for_doctor(uuid, uuid) is
  'The places on the waitlist that a seat of this doctor could be offered to, who came first first.';

revoke execute on function app_private.waits_for_doctor(uuid, uuid) from public;
grant execute on function app_private.waits_for_doctor(uuid, uuid) to app_worker;
