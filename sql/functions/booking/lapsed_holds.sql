-- Where lapsed holds of a doctor still sit: they stand in nobody's way, also not in the way of a
-- patient whose own rights do not reach to the hold of somebody else. It runs as the owner for their
-- sake and tells a slot and a time, never whose hold it is.
create or replace function app_private.lapsed_holds(hospital_id uuid, doctor_id uuid)
returns table (slot_id uuid, starts_at timestamptz)
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return query
  select appointment.slot_id, appointment.starts_at
  from app_public.appointment
  where appointment.hospital_id = lapsed_holds.hospital_id
    and appointment.doctor_id = lapsed_holds.doctor_id
    and appointment.status = 'held'
    and appointment.held_until <= app_private.clock();
end
$$;

comment on function app_private.lapsed_holds(uuid, uuid) is
  'Slot and start of a doctor''s lapsed holds, whose seats are free for whoever comes next.';

revoke execute on function app_private.lapsed_holds(uuid, uuid) from public;
grant execute on function app_private.lapsed_holds(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
