-- All slots in which these appointments sit, first and further ones.
create or replace function app_private.seats_of(hospital_id uuid, appointment_ids uuid[])
returns uuid[]
language plpgsql stable
as $$
begin
  return array(
    select appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = seats_of.hospital_id
      and appointment.id = any (seats_of.appointment_ids)
      and appointment.holds_seat
    union
    select appointment_seat.slot_id
    from app_public.appointment_seat
    where appointment_seat.hospital_id = seats_of.hospital_id
      and appointment_seat.appointment_id = any (seats_of.appointment_ids));
end
$$;

comment on function app_private.seats_of(uuid, uuid[]) is 'Slots in which appointments hold their seats.';

revoke execute on function app_private.seats_of(uuid, uuid[]) from public;
