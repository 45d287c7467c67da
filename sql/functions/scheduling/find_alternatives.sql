-- Who else could see a patient at this time: the other active and available doctors of the same
-- specialty, each with the free seat nearest to the time, the nearest first, five at most. Who is
-- absent, closed or full by the day has none. One look into the slots of each colleague, at one time.
create or replace function app_private.find_alternatives(hospital_id uuid, doctor_id uuid, during tstzrange)
returns app_public.alternative_seat[]
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return array(
    select row(colleague.id, colleague.display_name, seat.id, seat.starts_at)::app_public.alternative_seat
    from app_public.hospital
    join app_public.doctor
      on doctor.hospital_id = find_alternatives.hospital_id and doctor.id = find_alternatives.doctor_id
    join app_public.doctor as colleague
      on colleague.hospital_id = find_alternatives.hospital_id
      and colleague.specialty = doctor.specialty
      and colleague.id <> doctor.id
      and colleague.is_active and colleague.is_available
    cross join lateral (
      select slot.id, slot.starts_at, abs(extract(epoch from slot.starts_at - lower(find_alternatives.during))) as distance
      from app_public.slot
      left join app_public.doctor_day
        on doctor_day.hospital_id = find_alternatives.hospital_id
        and doctor_day.doctor_id = slot.doctor_id
        and doctor_day.day = (slot.starts_at at time zone hospital.time_zone)::date
      where slot.hospital_id = find_alternatives.hospital_id
        and slot.doctor_id = colleague.id
        and slot.during && find_alternatives.during
        and slot.withdrawn_at is null
        and slot.status = 'available'
        and slot.starts_at > instant
        and coalesce(
          doctor_day.booked_count < least(doctor_day.max_patients, colleague.max_patients_per_day), true)
      order by distance
      limit 1
    ) as seat
    where hospital.id = find_alternatives.hospital_id
    order by seat.distance, colleague.display_name, colleague.id
    limit 5);
end
$$;

comment on function app_private.find_alternatives(uuid, uuid, tstzrange) is
  'Free seats with other doctors of the same specialty at a time, at most five.';

revoke execute on function app_private.find_alternatives(uuid, uuid, tstzrange) from public;
grant execute on function app_private.find_alternatives(uuid, uuid, tstzrange)
  to app_worker, app_doctor, app_nurse, app_receptionist, app_admin;
