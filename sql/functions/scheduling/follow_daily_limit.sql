-- A doctor's new daily limit holds for today and all days ahead. A day that is already fuller keeps
-- what it has and takes no more. The days are locked in their order first, as bookings do. A day that
-- a booking is just creating is not seen here; take_seat minds the doctor's own limit, too.
create or replace function app_private.follow_daily_limit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  today date;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = new.hospital_id;

  perform from app_public.doctor_day
  where doctor_day.hospital_id = new.hospital_id and doctor_day.doctor_id = new.id and doctor_day.day >= today
  order by doctor_day.day
  for no key update;

  update app_public.doctor_day
  set max_patients = greatest(new.max_patients_per_day, doctor_day.booked_count)
  where doctor_day.hospital_id = new.hospital_id and doctor_day.doctor_id = new.id and doctor_day.day >= today;
  return null;
end
$$;

comment on function app_private.follow_daily_limit() is 'Trigger: carries a doctor''s new daily limit to the days ahead.';

revoke execute on function app_private.follow_daily_limit() from public;

create or replace trigger doctor_days_follow_the_limit
  after update of max_patients_per_day on app_public.doctor
  for each row when (new.max_patients_per_day <> old.max_patients_per_day)
  execute function app_private.follow_daily_limit();
