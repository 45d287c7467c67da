-- Where a request would sit if nobody says otherwise: in the slot of its doctor that its time begins in,
-- of a day that is made real first if it has to be. Null where there is none, or no open request.
create or replace function app_private.slot_of_request(hospital_id uuid, appointment_id uuid) returns uuid
language plpgsql
as $$
declare
  wish record;
begin
  select appointment.doctor_id, appointment.starts_at into wish
  from app_public.appointment
  where appointment.hospital_id = slot_of_request.hospital_id
    and appointment.id = slot_of_request.appointment_id
    and appointment.status = 'requested';
  if not found then
    return null;
  end if;
  perform app_private.materialise_day(
    hospital_id, wish.doctor_id, app_private.local_day(hospital_id, wish.starts_at));
  return (
    select slot.id
    from app_public.slot
    where slot.hospital_id = slot_of_request.hospital_id
      and slot.doctor_id = wish.doctor_id
      and slot.during @> wish.starts_at
      and slot.withdrawn_at is null);
end
$$;

comment on function app_private.slot_of_request(uuid, uuid) is
  'The slot of its doctor in which the time of an open request begins, or null.';

revoke execute on function app_private.slot_of_request(uuid, uuid) from public;
grant execute on function app_private.slot_of_request(uuid, uuid) to app_doctor, app_receptionist, app_admin;
