-- Where lapsed holds of a doctor still sit, in their first slot and in the further ones: they stand
-- in nobody's way, also not in the way of a patient whose own rights do not reach to the hold of
-- somebody else. It runs as the owner for their sake and tells a slot and a time, never whose hold it
-- is.
create or replace function app_private.lapsed_holds(hospital_id uuid, doctor_id uuid)
returns table (slot_id uuid, starts_at timestamptz, counts_day boolean)
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return query
  select seat.slot_id, appointment.starts_at, seat.is_first
  from app_public.appointment
  cross join lateral (
    select appointment.slot_id, true as is_first
    union all
    select appointment_seat.slot_id, false
    from app_public.appointment_seat
    where appointment_seat.hospital_id = lapsed_holds.hospital_id
      and appointment_seat.appointment_id = appointment.id
  ) as seat
  where appointment.hospital_id = lapsed_holds.hospital_id
    and appointment.doctor_id = lapsed_holds.doctor_id
    and appointment.status = 'held'
    and appointment.held_until <= app_private.clock();
end
$$;

comment on function app_private.lapsed_holds(uuid, uuid) is
  'Slots of a doctor''s lapsed holds, whose seats are free for whoever comes next; only the first slot of each counts in the doctor''s day.';

revoke execute on function app_private.lapsed_holds(uuid, uuid) from public;
grant execute on function app_private.lapsed_holds(uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
