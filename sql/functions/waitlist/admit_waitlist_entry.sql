-- The door of the waitlist, for every client: who may wait for what, on which days. It runs as the
-- owner, before row-level security looks at the row, so it repeats the two walls that matter for what
-- a refusal may tell: the hospital and the patient of the claims. A doctor who takes no appointments at
-- present may be waited for; one who no longer works here may not.
-- The patient is locked as in a booking, so that of two wishes at once the second is told of the first
-- instead of running into the constraint.
create or replace function app_private.admit_waitlist_entry() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  today date;
  present record;
  other record;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'patient' and new.patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  new.status := 'waiting';
  new.created_by := app_private.claim_account_id();
  new.created_at := app_private.clock();
  new.ended_at := null;

  select patient.is_active, patient.status, patient.blocked_reason into present
  from app_public.patient
  where patient.hospital_id = new.hospital_id and patient.id = new.patient_id
  for no key update;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', new.patient_id));
  elsif not present.is_active then
    perform app_private.refuse('patient_inactive', jsonb_build_object('patient_id', new.patient_id));
  elsif present.status <> 'active' then
    perform app_private.refuse('patient_blocked', jsonb_strip_nulls(
      jsonb_build_object('patient_id', new.patient_id, 'reason', present.blocked_reason)));
  end if;

  if num_nonnulls(new.doctor_id, new.specialty) <> 1 then
    perform app_private.refuse('invalid_input', jsonb_build_object('doctor_id', 'give a doctor or a specialty, not both'));
  end if;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = new.hospital_id
      and (doctor.id = new.doctor_id or doctor.specialty = new.specialty and doctor.is_active))
  then
    perform app_private.refuse('doctor_not_found', jsonb_strip_nulls(
      jsonb_build_object('doctor_id', new.doctor_id, 'specialty', new.specialty)));
  elsif exists (
    select from app_public.doctor
    where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id and not doctor.is_active)
  then
    perform app_private.refuse('doctor_inactive', jsonb_build_object('doctor_id', new.doctor_id));
  end if;
  if new.service_id is not null and not exists (
    select from app_public.service
    where service.hospital_id = new.hospital_id and service.id = new.service_id and service.is_active)
  then
    perform app_private.refuse('service_not_found', jsonb_build_object('service_id', new.service_id));
  end if;
  if new.location_id is not null and not exists (
    select from app_public.location
    where location.hospital_id = new.hospital_id and location.id = new.location_id and location.is_active)
  then
    perform app_private.refuse('location_not_found', jsonb_build_object('location_id', new.location_id));
  end if;

  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = new.hospital_id;
  if new.last_day < today then
    perform app_private.refuse('waitlist_days_in_past',
      jsonb_build_object('first_day', new.first_day, 'last_day', new.last_day, 'today', today));
  elsif new.first_day > new.last_day or new.last_day > today + 366 or new.last_day - new.first_day > 366 then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('first_day', new.first_day, 'last_day', new.last_day, 'today', today));
  elsif new.earliest_time >= new.latest_time then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('earliest_time', new.earliest_time, 'latest_time', new.latest_time));
  end if;

  select waitlist_entry.id, waitlist_entry.first_day, waitlist_entry.last_day into other
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = new.hospital_id
    and waitlist_entry.patient_id = new.patient_id
    and waitlist_entry.status in ('waiting', 'offered')
    and waitlist_entry.doctor_id is not distinct from new.doctor_id
    and waitlist_entry.specialty is not distinct from new.specialty
    and daterange(waitlist_entry.first_day, waitlist_entry.last_day, '[]')
      && daterange(new.first_day, new.last_day, '[]')
  order by waitlist_entry.id
  limit 1;
  if found then
    perform app_private.refuse('already_waiting', jsonb_build_object(
      'waitlist_entry_id', other.id, 'first_day', other.first_day, 'last_day', other.last_day));
  end if;
  return new;
end
$$;

comment on function app_private.admit_waitlist_entry() is
  'Trigger: admits a patient to the waitlist, or refuses with the scenario.';

revoke execute on function app_private.admit_waitlist_entry() from public;

create or replace trigger waitlist_entry_is_admitted
  before insert on app_public.waitlist_entry
  for each row execute function app_private.admit_waitlist_entry();
