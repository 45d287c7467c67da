-- Read under the caller's own rights: one stretch of time, of the appointments and of the archive. A
-- doctor counts their own. Lead time falls into the steps in
-- which hospitals look at it, named by their least days.
create or replace function app_public.no_show_statistics(
  from_day date, to_day date, group_by app_public.no_show_grouping default 'doctor')
returns setof app_public.no_show_statistic
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  sees_all boolean := app_private.actor_role() <> 'doctor';
  own_doctor uuid := app_private.claim_doctor_id();
  zone text;
begin
  perform app_private.guard_input(jsonb_build_object('to_day', case
    when from_day is null or to_day is null or to_day < from_day or to_day - from_day > 1100
    then 'is not from_day or up to three years later' end));
  select tenant.time_zone into zone from app_public.hospital as tenant where tenant.id = hospital;

  return query
  select counted.key, case group_by
      when 'doctor' then (
        select doctor.display_name from app_public.doctor where doctor.hospital_id = hospital and doctor.id::text = counted.key)
      when 'location' then (
        select location.name from app_public.location where location.hospital_id = hospital and location.id::text = counted.key)
      when 'service' then coalesce((
        select service.name from app_public.service where service.hospital_id = hospital and service.id::text = counted.key), 'none')
      when 'weekday' then (
        array['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])[counted.key::integer]
      when 'hour' then lpad(counted.key, 2, '0') || ':00'
      else case counted.key
        when '0' then 'same day' when '1' then '1 to 2 days' when '3' then '3 to 7 days'
        when '8' then '8 to 14 days' when '15' then '15 to 30 days' else 'over 30 days' end
    end,
    counted.visits, counted.no_shows, round(counted.no_shows::numeric / counted.visits, 4)
  from (
    select
      case group_by
        when 'doctor' then visit.doctor_id::text
        when 'location' then visit.location_id::text
        when 'service' then coalesce(visit.service_id::text, '')
        when 'weekday' then extract(isodow from visit.starts_at at time zone zone)::integer::text
        when 'hour' then extract(hour from visit.starts_at at time zone zone)::integer::text
        else (
          select max(step)::text
          from unnest(array[0, 1, 3, 8, 15, 31]) as step
          where step <= greatest(0,
            (visit.starts_at at time zone zone)::date - (visit.created_at at time zone zone)::date))
      end as key,
      count(*)::integer as visits,
      (count(*) filter (where visit.status = 'no_show'))::integer as no_shows
    from (
      select appointment.doctor_id, appointment.location_id, appointment.service_id,
        appointment.starts_at, appointment.created_at, appointment.status
      from app_public.appointment
      where appointment.hospital_id = hospital
        and appointment.doctor_id in (
          select doctor.id from app_public.doctor
          where doctor.hospital_id = hospital and (sees_all or doctor.id = own_doctor))
        and appointment.starts_at >= from_day::timestamp at time zone zone
        and appointment.starts_at < (to_day + 1)::timestamp at time zone zone
      union all
      select archived.doctor_id, archived.location_id, archived.service_id,
        archived.starts_at, archived.created_at, archived.status
      from app_public.appointment_archive as archived
      where archived.hospital_id = hospital
        and (sees_all or archived.doctor_id = own_doctor)
        and archived.starts_at >= from_day::timestamp at time zone zone
        and archived.starts_at < (to_day + 1)::timestamp at time zone zone
    ) as visit
    where visit.status in ('checked_in', 'in_progress', 'completed', 'no_show')
    group by 1
  ) as counted
  order by case when group_by in ('weekday', 'hour', 'lead_time') then counted.key::integer end,
    counted.no_shows desc, counted.key;
end
$$;

comment on function app_public.no_show_statistics(date, date, app_public.no_show_grouping) is
  'How many visits of these local days were missed, by doctor, weekday, hour, lead time, location or service, with counts and rate. Archived visits count. For admins; doctors see their own.';

revoke execute on function app_public.no_show_statistics(date, date, app_public.no_show_grouping) from public;
grant execute on function app_public.no_show_statistics(date, date, app_public.no_show_grouping)
  to app_doctor, app_admin;
