-- What is written by local date follows the hospital's zone, in the statement that changes it: absences
-- are at other instants, appointments count in other days. Appointments themselves keep their instants.
-- Absences move one by one, so that none meets a neighbour that has not moved yet: those that go later
-- from the last one on, those that go earlier from the first one on. Hours that the day does not have
-- in the new zone leave a minute, because no absence is empty. Days are locked by their key first,
-- as everywhere; a day that comes out fuller than the limit keeps what it has and takes no more.
create or replace function app_private.follow_time_zone() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  moving record;
begin
  for moving in
    select absence.id, placed.during
    from app_public.absence
    cross join lateral (
      select app_private.absence_time(
          new.time_zone, absence.first_day, absence.last_day, absence.start_time, absence.end_time) as during,
        (absence.first_day + absence.start_time) at time zone new.time_zone as skipped_hour
    ) as local_time
    cross join lateral (
      select case when isempty(local_time.during)
        then tstzrange(local_time.skipped_hour, local_time.skipped_hour + interval '1 minute')
        else local_time.during end as during
    ) as placed
    where absence.hospital_id = new.id and absence.during <> placed.during
    order by
      lower(placed.during) > lower(absence.during),
      case when lower(placed.during) > lower(absence.during) then null else lower(absence.during) end,
      lower(absence.during) desc
  loop
    update app_public.absence
    set during = moving.during
    where absence.hospital_id = new.id and absence.id = moving.id;
  end loop;

  perform from app_public.doctor_day
  where doctor_day.hospital_id = new.id and doctor_day.booked_count > 0
  order by doctor_day.doctor_id, doctor_day.day
  for no key update;

  update app_public.doctor_day
  set booked_count = 0
  where doctor_day.hospital_id = new.id and doctor_day.booked_count > 0;

  insert into app_public.doctor_day as day_of_doctor (hospital_id, doctor_id, day, booked_count, max_patients)
  select new.id, counted.doctor_id, counted.day, counted.seated,
    greatest(counted.seated, doctor.max_patients_per_day)
  from (
    select slot.doctor_id, (slot.starts_at at time zone new.time_zone)::date as day, count(*)::integer as seated
    from app_public.appointment
    join app_public.slot on slot.hospital_id = new.id and slot.id = appointment.slot_id
    where appointment.hospital_id = new.id and appointment.holds_seat
    group by 1, 2
  ) as counted
  join app_public.doctor on doctor.hospital_id = new.id and doctor.id = counted.doctor_id
  order by counted.doctor_id, counted.day
  on conflict on constraint doctor_day_pkey do update
  set booked_count = excluded.booked_count, max_patients = excluded.max_patients;
  return null;
end
$$;

comment on function app_private.follow_time_zone() is
  'Trigger: places absences anew and counts the days of doctors anew, by the local dates of a new time zone.';

revoke execute on function app_private.follow_time_zone() from public;

create or replace trigger hospital_days_follow_the_time_zone
  after update of time_zone on app_public.hospital
  for each row when (new.time_zone <> old.time_zone)
  execute function app_private.follow_time_zone();
