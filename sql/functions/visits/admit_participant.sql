-- Who takes part in a consultation says its doctor, as long as it is open. The consultation is locked, so
-- that nobody is added to one that is just being completed.
create or replace function app_private.admit_participant() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  joined app_public.consultation;
  doctor_is_active boolean;
  present_role app_public.participant_role;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into joined
  from app_public.consultation
  where consultation.hospital_id = new.hospital_id and consultation.id = new.consultation_id
  for no key update;
  if not found then
    perform app_private.refuse('consultation_not_found', jsonb_build_object('consultation_id', new.consultation_id));
  end if;
  if actor <> 'operator' and (actor <> 'doctor' or joined.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', new.consultation_id));
  end if;
  select doctor.is_active into doctor_is_active
  from app_public.doctor
  where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', new.doctor_id));
  end if;
  if joined.status in ('completed', 'abandoned') then
    perform app_private.refuse('consultation_is_final',
      jsonb_build_object('consultation_id', joined.id, 'status', joined.status));
  end if;
  if not doctor_is_active then
    perform app_private.refuse('doctor_inactive', jsonb_build_object('doctor_id', new.doctor_id));
  end if;

  select consultation_participant.role into present_role
  from app_public.consultation_participant
  where consultation_participant.hospital_id = new.hospital_id
    and consultation_participant.consultation_id = new.consultation_id
    and consultation_participant.doctor_id = new.doctor_id;
  if found then
    perform app_private.refuse('already_participating',
      jsonb_build_object('doctor_id', new.doctor_id, 'role', present_role));
  end if;
  if new.role = 'primary' and new.doctor_id <> joined.doctor_id then
    perform app_private.refuse('one_primary_doctor', jsonb_build_object('doctor_id', joined.doctor_id));
  end if;

  new.patient_id := joined.patient_id;
  new.added_by := app_private.claim_account_id();
  new.added_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_participant() is
  'Trigger: lets the doctor of an open consultation add others, each once.';

revoke execute on function app_private.admit_participant() from public;

create or replace trigger participant_is_admitted_once
  before insert on app_public.consultation_participant
  for each row execute function app_private.admit_participant();
