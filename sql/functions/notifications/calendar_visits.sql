-- The visits of a calendar feed, under the rights of its account: a patient's own, or those of a doctor's
-- calendar, by the index of either. From 30 days ago to the booking horizon. Requests and holds are not in
-- it, because they may come to nothing; what was cancelled stays as such for 30 days, so that programs take
-- it out. Of the other person a patient reads the doctor's name and a doctor the initials.
create or replace function app_private.calendar_visits()
returns table (
  appointment_id uuid, status app_public.appointment_status, starts_at timestamptz, ends_at timestamptz,
  changed_at timestamptz, move_count integer, with_whom text, location_name text, hospital_name text,
  hospital_slug text)
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_doctor_id uuid := app_private.claim_doctor_id();
  own_patient_id uuid := app_private.claim_patient_id();
  instant timestamptz := app_private.clock();
  place app_public.hospital;
begin
  select * into place from app_public.hospital as present where present.id = hospital;
  return query
    with visit as (
      select appointment.*
      from app_public.appointment
      where own_doctor_id is not null
        and appointment.hospital_id = hospital and appointment.doctor_id = own_doctor_id
        and appointment.starts_at > instant - interval '30 days'
        and appointment.starts_at < instant + make_interval(days => place.booking_horizon_days + 1)
      union all
      select appointment.*
      from app_public.appointment
      where own_doctor_id is null
        and appointment.hospital_id = hospital and appointment.patient_id = own_patient_id
        and appointment.starts_at > instant - interval '30 days'
        and appointment.starts_at < instant + make_interval(days => place.booking_horizon_days + 1)
    )
    select visit.id, visit.status, visit.starts_at, visit.ends_at, visit.updated_at,
      (select count(*)::integer
       from app_public.appointment_move as move
       where move.hospital_id = hospital and move.appointment_id = visit.id),
      case when own_doctor_id is null then doctor.display_name else app_private.initials(patient.name) end,
      location.name, place.name, place.slug
    from visit
    join app_public.doctor on doctor.hospital_id = hospital and doctor.id = visit.doctor_id
    join app_public.patient on patient.hospital_id = hospital and patient.id = visit.patient_id
    left join app_public.location on location.hospital_id = hospital and location.id = visit.location_id
    where visit.slot_id is not null
      and (visit.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed', 'no_show')
        or visit.status = 'cancelled' and visit.cancelled_at > instant - interval '30 days')
    order by visit.starts_at, visit.id;
end
$$;

comment on function app_private.calendar_visits() is
  'The visits that the calendar feed of the request''s account shows.';

revoke execute on function app_private.calendar_visits() from public;
grant execute on function app_private.calendar_visits() to app_patient, app_doctor;
