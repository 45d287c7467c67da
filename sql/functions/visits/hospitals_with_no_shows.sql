-- Where the sweep has something to do now: hospitals inside their own hours, one look by index each.
create or replace function app_private.hospitals_with_no_shows() returns setof uuid
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return query
  select hospital.id
  from app_public.hospital
  where (instant at time zone hospital.time_zone)::time >= hospital.no_show_window_start
    and (instant at time zone hospital.time_zone)::time < hospital.no_show_window_end
    and exists (
      select from app_public.appointment
      join app_public.doctor
        on doctor.hospital_id = hospital.id and doctor.id = appointment.doctor_id
      where appointment.hospital_id = hospital.id
        and appointment.status in ('scheduled', 'confirmed')
        and appointment.starts_at > instant - interval '2 days'
        and appointment.starts_at <= instant
        and appointment.starts_at + doctor.slot_duration <= instant);
end
$$;

comment on function app_private.hospitals_with_no_shows() is
  'Hospitals in whose no-show window it is now, and where somebody has not come in time.';

revoke execute on function app_private.hospitals_with_no_shows() from public;
grant execute on function app_private.hospitals_with_no_shows() to app_worker;
