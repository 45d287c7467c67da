-- Vital signs belong to a patient who has arrived; a correction belongs to the same visit as what it
-- corrects. Who, when, of whom and for which doctor is never the client's to say. The appointment learns
-- of the first ones, which ends the wait for them, at no time before the arrival: whoever waited for it began
-- earlier.
create or replace function app_private.admit_vitals() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
  visit app_public.appointment;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id
  for no key update;
  if visit.id is null then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  perform app_private.guard_own_slot(visit.doctor_id);
  if visit.status not in ('checked_in', 'in_progress')
    and not (visit.status = 'completed' and new.corrects is not null)
  then
    perform app_private.refuse('patient_not_checked_in', jsonb_build_object('status', visit.status));
  end if;
  if new.corrects is not null and not exists (
    select from app_public.vitals_entry
    where vitals_entry.hospital_id = new.hospital_id
      and vitals_entry.id = new.corrects
      and vitals_entry.appointment_id = new.appointment_id
      and not exists (
        select from app_public.vitals_entry as later
        where later.hospital_id = new.hospital_id and later.corrects = new.corrects))
  then
    perform app_private.refuse('vitals_not_found', jsonb_build_object('vitals_entry_id', new.corrects));
  end if;

  new.patient_id := visit.patient_id;
  new.doctor_id := visit.doctor_id;
  new.recorded_by := app_private.claim_account_id();
  new.recorded_at := instant;
  if visit.vitals_recorded_at is null then
    update app_public.appointment
    set vitals_recorded_at = greatest(instant, visit.checked_in_at), updated_at = instant
    where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id;
  end if;
  return new;
end
$$;

comment on function app_private.admit_vitals() is
  'Trigger: takes vital signs of a patient who has arrived, or refuses them.';

revoke execute on function app_private.admit_vitals() from public;

create or replace trigger vitals_are_admitted
  before insert on app_public.vitals_entry
  for each row execute function app_private.admit_vitals();
