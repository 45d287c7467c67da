-- A doctor is told, urgently and by name of the patient, that somebody is ready and waits for them: it is
-- theirs alone to act on, and they may look at no board. Missing vital signs are told to nobody's inbox:
-- they are a matter of whichever nurse is free, who watch the waiting room and its live alerts, and one
-- message to each nurse of the hospital would be many for one that is needed.
create or replace function app_private.tell_of_stage_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  visit app_public.appointment;
begin
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id;
  perform app_private.notify_of_appointment('patient_waits', 'doctor', visit, jsonb_build_object(
    'message', floor(extract(epoch from new.raised_at - new.waiting_since) / 60)::text));
  return null;
end
$$;

comment on function app_private.tell_of_stage_alert() is
  'Trigger: tells a doctor that a patient has waited too long for them.';

revoke execute on function app_private.tell_of_stage_alert() from public;

create or replace trigger waiting_for_the_doctor_is_told
  after insert on app_public.stage_alert
  for each row when (new.kind = 'no_doctor')
  execute function app_private.tell_of_stage_alert();
