-- A consultation begins with a patient who has arrived, by the doctor of the visit. The appointment is
-- locked first, so that two who start at once come in turn and the second finds the first's; it is the
-- lock of every change of the appointment, too, so that nobody ends the visit meanwhile. Patient and
-- doctor are the appointment's.
create or replace function app_private.admit_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  visit app_public.appointment;
  open_id uuid;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id
  for no key update;
  if not found then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  if actor <> 'operator' and (actor <> 'doctor' or visit.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('appointment_id', new.appointment_id));
  end if;

  select consultation.id into open_id
  from app_public.consultation
  where consultation.hospital_id = new.hospital_id
    and consultation.appointment_id = new.appointment_id
    and consultation.status in ('started', 'in_progress');
  if found then
    perform app_private.refuse('consultation_open',
      jsonb_build_object('appointment_id', new.appointment_id, 'consultation_id', open_id));
  end if;
  if visit.status not in ('checked_in', 'in_progress') then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', visit.status, 'to', 'in_progress'));
  end if;

  new.patient_id := visit.patient_id;
  new.doctor_id := visit.doctor_id;
  new.status := 'started';
  new.started_by := app_private.claim_account_id();
  new.started_at := app_private.clock();
  new.updated_at := new.started_at;
  new.ended_at := null;
  new.abandon_reason := null;
  return new;
end
$$;

comment on function app_private.admit_consultation() is
  'Trigger: lets the doctor of a visit start its consultation, one at a time.';

revoke execute on function app_private.admit_consultation() from public;

create or replace trigger consultation_is_admitted
  before insert on app_public.consultation
  for each row execute function app_private.admit_consultation();
