-- A move is recorded only as it happened: with the patient, the doctor, the two slots and the instant
-- of the appointment's last change. Nobody can write a history that never was, or of somebody else.
create or replace function app_private.witness_move() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if not exists (
    select from app_public.appointment
    where appointment.hospital_id = new.hospital_id
      and appointment.id = new.appointment_id
      and appointment.patient_id = new.patient_id
      and appointment.doctor_id = new.doctor_id
      and appointment.rescheduled_from = new.from_slot_id
      and appointment.slot_id = new.to_slot_id
      and appointment.updated_at = new.moved_at)
  then
    perform app_private.refuse('forbidden', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  return new;
end
$$;

comment on function app_private.witness_move() is
  'Trigger: refuses a move that is not the last thing that happened to its appointment.';

revoke execute on function app_private.witness_move() from public;

create or replace trigger appointment_move_is_witnessed
  before insert on app_public.appointment_move
  for each row execute function app_private.witness_move();
