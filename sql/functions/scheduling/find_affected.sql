-- The appointments that a change of the calendar touches: those that hold a seat, and open requests,
-- whose time overlaps. A lapsed hold is nobody's appointment any more. No visit lasts a day (services
-- and slots last 8 hours at most), so one short range of the index of each doctor has them all, and
-- the cost follows them and not the history; the subquery stays one look a doctor.
create or replace function app_private.find_affected(
  hospital_id uuid, doctor_id uuid, during tstzrange, with_alternatives boolean default true)
returns setof app_public.affected_appointment
language plpgsql stable rows 20
as $$
declare
  instant timestamptz := app_private.clock();
begin
  if isempty(during) then
    return;
  end if;
  return query
  select visit.id, visit.patient_id, visit.doctor_id, visit.starts_at, visit.ends_at, visit.status,
    case when with_alternatives
      then app_private.find_alternatives(find_affected.hospital_id, visit.doctor_id, visit.during)
      else '{}' end
  from app_public.doctor
  cross join lateral (
    select appointment.*
    from app_public.appointment
    where appointment.hospital_id = find_affected.hospital_id
      and appointment.doctor_id = doctor.id
      and appointment.starts_at > coalesce(lower(find_affected.during) - interval '1 day', '-infinity')
      and appointment.starts_at < coalesce(upper(find_affected.during), 'infinity')
      and appointment.during && find_affected.during
      and (appointment.holds_seat or appointment.status = 'requested')
      and (appointment.status <> 'held' or appointment.held_until > instant)
    offset 0
  ) as visit
  where doctor.hospital_id = find_affected.hospital_id
    and (find_affected.doctor_id is null or doctor.id = find_affected.doctor_id)
  order by visit.starts_at, visit.id;
end
$$;

comment on function app_private.find_affected(uuid, uuid, tstzrange, boolean) is
  'Appointments with a seat and open requests that overlap a time, of one doctor or of all, soonest first, and who else could take each.';

revoke execute on function app_private.find_affected(uuid, uuid, tstzrange, boolean) from public;
grant execute on function app_private.find_affected(uuid, uuid, tstzrange, boolean)
  to app_worker, app_doctor, app_nurse, app_receptionist, app_admin;
