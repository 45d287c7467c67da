-- A doctor who is called into a consultation is told at once: somebody waits for them in a room.
create or replace function app_private.tell_of_participant() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  visit app_public.appointment;
begin
  select appointment.* into visit
  from app_public.consultation
  join app_public.appointment
    on appointment.hospital_id = new.hospital_id and appointment.id = consultation.appointment_id
  where consultation.hospital_id = new.hospital_id and consultation.id = new.consultation_id;
  -- The inbox is that of the doctor who was added, not of the one who has the appointment.
  visit.doctor_id := new.doctor_id;
  perform app_private.notify_of_appointment('participant_added', 'doctor', visit,
    jsonb_build_object('message', new.role));
  return null;
end
$$;

comment on function app_private.tell_of_participant() is
  'Trigger: tells a doctor that they were added to a consultation.';

revoke execute on function app_private.tell_of_participant() from public;

create or replace trigger added_participant_is_told
  after insert on app_public.consultation_participant
  for each row when (new.role <> 'primary')
  execute function app_private.tell_of_participant();
