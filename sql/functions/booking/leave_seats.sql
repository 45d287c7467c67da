-- An appointment gives up all its seats: the further ones first go with their rows, whose trigger
-- counts them back, then the first with its place of the day. With more than one slot concerned, all
-- are locked in their order before the first one changes.
create or replace function app_private.leave_seats(appointment app_public.appointment)
returns void
language plpgsql
as $$
declare
  further uuid[] := app_private.further_slots(appointment.hospital_id, appointment.id);
begin
  if further is not null then
    perform app_private.lock_seats(appointment.hospital_id, further || appointment.slot_id);
    delete from app_public.appointment_seat
    where appointment_seat.hospital_id = appointment.hospital_id
      and appointment_seat.appointment_id = appointment.id;
  end if;
  perform app_private.release_seat(appointment.hospital_id, appointment.slot_id);
end
$$;

comment on function app_private.leave_seats(app_public.appointment) is 'Gives back all seats that an appointment holds.';

revoke execute on function app_private.leave_seats(app_public.appointment) from public;
