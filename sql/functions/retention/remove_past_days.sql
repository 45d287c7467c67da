-- Removes doctors' days of past years, one batch a call. A day counts the appointments that hold a seat,
-- and guards how many may; once they have ended it counts none and guards nothing. A day that still
-- counts one, an appointment that never ended, stays. Definer, because nobody may delete days.
create or replace function app_private.remove_past_days(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  first_kept_day date;
  removed integer;
begin
  select (app_private.retention_boundary(hospital.id) at time zone hospital.time_zone)::date into first_kept_day
  from app_public.hospital
  where hospital.id = remove_past_days.hospital_id;

  with past as materialized (
    select of_doctor.doctor_id, of_doctor.day
    from app_public.doctor
    cross join lateral (
      select doctor_day.doctor_id, doctor_day.day
      from app_public.doctor_day
      where doctor_day.hospital_id = remove_past_days.hospital_id
        and doctor_day.doctor_id = doctor.id
        and doctor_day.day < first_kept_day
        and doctor_day.booked_count = 0
      order by doctor_day.day
      limit most
      for update skip locked
    ) as of_doctor
    where doctor.hospital_id = remove_past_days.hospital_id
    limit most
  )
  delete from app_public.doctor_day
  using past
  where doctor_day.hospital_id = remove_past_days.hospital_id
    and doctor_day.doctor_id = past.doctor_id
    and doctor_day.day = past.day;
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_past_days(uuid, integer) is
  'Removes doctors'' days of a hospital''s past years that count nothing any more, at most so many, and returns how many.';

revoke execute on function app_private.remove_past_days(uuid, integer) from public;
grant execute on function app_private.remove_past_days(uuid, integer) to app_worker;
