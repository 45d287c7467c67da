-- Which free seats of a doctor suit which waiting patients: the soonest seat first, and for each seat
-- those who came first. One index range of one doctor, bounded by the days that anybody waits for, met
-- with the patients who wait for this doctor or the specialty: the cost follows these, never history.
-- A seat that was once offered to an entry is not offered to it again, and a patient answers one offer
-- before the next. The rules of booking are not judged here; plan_offers asks the judge.
create or replace function app_private.fitting_seats(hospital_id uuid, doctor_id uuid)
returns table (slot_id uuid, room integer, entry_id uuid, patient_id uuid, service_id uuid)
language plpgsql stable rows 100
as $$
declare
  instant timestamptz := app_private.clock();
  house record;
begin
  select hospital.time_zone,
    (instant at time zone hospital.time_zone)::date as today,
    (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days as last_bookable_day,
    doctor.specialty
  into house
  from app_public.hospital
  join app_public.doctor
    on doctor.hospital_id = fitting_seats.hospital_id and doctor.id = fitting_seats.doctor_id
    and doctor.is_active and doctor.is_available
  where hospital.id = fitting_seats.hospital_id;
  if not found then
    return;
  end if;

  return query
  with waiting as materialized (
    select entry.id, entry.patient_id, entry.service_id, entry.location_id,
      entry.first_day, entry.last_day, entry.earliest_time, entry.latest_time
    from (
      select of_doctor.*
      from app_public.waitlist_entry as of_doctor
      where of_doctor.hospital_id = fitting_seats.hospital_id
        and of_doctor.doctor_id = fitting_seats.doctor_id
        and of_doctor.status = 'waiting'
      union all
      select of_specialty.*
      from app_public.waitlist_entry as of_specialty
      where of_specialty.hospital_id = fitting_seats.hospital_id
        and of_specialty.specialty = house.specialty
        and of_specialty.status = 'waiting'
    ) as entry
    join app_public.patient
      on patient.hospital_id = fitting_seats.hospital_id and patient.id = entry.patient_id
      and patient.is_active and patient.status = 'active'
    where entry.last_day >= house.today
      and entry.first_day <= house.last_bookable_day
      and not exists (
        select from app_public.waitlist_offer
        where waitlist_offer.hospital_id = fitting_seats.hospital_id
          and waitlist_offer.patient_id = entry.patient_id
          and waitlist_offer.outcome = 'open')
  ),
  free as materialized (
    select slot.id, slot.starts_at, slot.location_id, slot.capacity - slot.booked_count as room,
      (slot.starts_at at time zone house.time_zone)::date as day,
      (slot.starts_at at time zone house.time_zone)::time as local_time
    from app_public.slot
    where slot.hospital_id = fitting_seats.hospital_id
      and slot.doctor_id = fitting_seats.doctor_id
      and slot.starts_at > instant
      and slot.starts_at >= (select min(waiting.first_day) from waiting)::timestamp at time zone house.time_zone
      and slot.starts_at < (
        (select least(max(waiting.last_day), house.last_bookable_day) from waiting) + 1)::timestamp
          at time zone house.time_zone
      and slot.status = 'available'
  )
  select free.id, free.room, waiting.id, waiting.patient_id, waiting.service_id
  from free
  join waiting
    on free.day between waiting.first_day and waiting.last_day
    and free.local_time >= coalesce(waiting.earliest_time, free.local_time)
    and free.local_time <= coalesce(waiting.latest_time, free.local_time)
    and free.location_id = coalesce(waiting.location_id, free.location_id)
  where not exists (
    select from app_public.waitlist_offer
    where waitlist_offer.hospital_id = fitting_seats.hospital_id
      and waitlist_offer.entry_id = waiting.id
      and waitlist_offer.slot_id = free.id)
  order by free.starts_at, free.id, waiting.id;
end
$$;

comment on function app_private.fitting_seats(uuid, uuid) is
  'Free seats of a doctor with the waiting patients whom each would suit, soonest seat first, who came first first.';

revoke execute on function app_private.fitting_seats(uuid, uuid) from public;
