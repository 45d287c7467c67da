-- When the hospital or a doctor is closed on these days, for slots that are not stored yet: stored
-- ones carry it themselves. It runs as the owner, because patients may not read absences; it tells
-- when somebody is away, never why.
create or replace function app_private.closed_times(hospital_id uuid, doctor_ids uuid[], first_day date, last_day date)
returns table (doctor_id uuid, during tstzrange, holiday text)
language plpgsql stable security definer rows 10
set search_path = ''
as $$
declare
  zone text;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select hospital.time_zone into zone
  from app_public.hospital
  where hospital.id = closed_times.hospital_id;

  return query
  select absence.doctor_id, absence.during, null::text
  from unnest(doctor_ids) as asked (id)
  join app_public.absence
    on absence.hospital_id = closed_times.hospital_id
    and absence.doctor_id = asked.id
    and absence.status = 'active'
    and absence.during && tstzrange(
      closed_times.first_day::timestamp at time zone zone,
      (closed_times.last_day + 1)::timestamp at time zone zone);

  return query
  select null::uuid,
    tstzrange(calendar.midnight at time zone zone, (calendar.midnight + interval '1 day') at time zone zone),
    holiday.name
  from app_public.holiday
  join generate_series(
    closed_times.first_day::timestamp, closed_times.last_day::timestamp, interval '1 day') as calendar (midnight)
    on holiday.month_day = extract(month from calendar.midnight)::integer * 100 + extract(day from calendar.midnight)::integer
    and (holiday.is_recurring or holiday.date = calendar.midnight::date)
  where holiday.hospital_id = closed_times.hospital_id and holiday.is_active;
end
$$;

comment on function app_private.closed_times(uuid, uuid[], date, date) is
  'Absences of these doctors and, without a doctor, holidays of the hospital that touch the local days from the first to the last.';

revoke execute on function app_private.closed_times(uuid, uuid[], date, date) from public;
grant execute on function app_private.closed_times(uuid, uuid[], date, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
