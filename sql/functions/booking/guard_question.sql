-- Who may ask about a booking are those who may make it: patients for themselves, doctors in their own
-- calendar, the others of the staff for all. Of the rest not even the verdicts are theirs to know.
create or replace function app_private.guard_question(patient_id uuid, doctor_id uuid) returns void
language plpgsql stable
as $$
begin
  if app_private.actor_role() = 'patient' and patient_id is distinct from app_private.claim_patient_id()
    or app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id()
  then
    perform app_private.refuse('forbidden');
  end if;
end
$$;

comment on function app_private.guard_question(uuid, uuid) is
  'Refuses a patient who asks about another patient, and a doctor who asks about another doctor''s time.';

revoke execute on function app_private.guard_question(uuid, uuid) from public;
grant execute on function app_private.guard_question(uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
