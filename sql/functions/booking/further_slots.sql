-- A visit within one slot has no row here: the look-up of the key finds nothing and is all that it costs.
create or replace function app_private.further_slots(hospital_id uuid, appointment_id uuid) returns uuid[]
language plpgsql stable
as $$
begin
  return (
    select array_agg(appointment_seat.slot_id)
    from app_public.appointment_seat
    where appointment_seat.hospital_id = further_slots.hospital_id
      and appointment_seat.appointment_id = further_slots.appointment_id);
end
$$;

comment on function app_private.further_slots(uuid, uuid) is
  'The further slots that an appointment holds, or null when it holds none.';

revoke execute on function app_private.further_slots(uuid, uuid) from public;
