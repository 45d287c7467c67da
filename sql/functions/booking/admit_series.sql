-- The door of the series, for every client: whose it is, who wrote it and when come from the claims and
-- the clock. It runs as the owner, before row-level security looks, and repeats its walls, so that a
-- refusal says no more than they do; what it refers to has to be there.
create or replace function app_private.admit_series() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'patient' and new.patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.guard_own_slot(new.doctor_id);

  if not exists (
    select from app_public.patient where patient.hospital_id = new.hospital_id and patient.id = new.patient_id)
  then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', new.patient_id));
  end if;
  if not exists (
    select from app_public.doctor where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', new.doctor_id));
  end if;
  if new.service_id is not null and not exists (
    select from app_public.service where service.hospital_id = new.hospital_id and service.id = new.service_id)
  then
    perform app_private.refuse('service_not_found', jsonb_build_object('service_id', new.service_id));
  end if;

  new.created_by := app_private.claim_account_id();
  new.created_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_series() is 'Trigger: admits a new series, or refuses it with its scenario.';

revoke execute on function app_private.admit_series() from public;

create or replace trigger series_is_admitted
  before insert on app_public.appointment_series
  for each row execute function app_private.admit_series();
