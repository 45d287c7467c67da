-- Whose it is, since when and until when is written here, whatever a client says. The account is locked, so
-- that its accesses in force are counted one after another. Definer, because who takes it may not see the
-- patient, nor lock the account.
create or replace function app_private.admit_emergency_access() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  new.account_id := coalesce(app_private.claim_account_id(), new.account_id);
  new.granted_at := instant;
  select instant + hospital.emergency_access_duration into new.expires_at
  from app_public.hospital
  where hospital.id = new.hospital_id;
  if not exists (
    select from app_public.patient where patient.hospital_id = new.hospital_id and patient.id = new.patient_id)
  then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', new.patient_id));
  end if;

  perform from app_public.account
  where account.hospital_id = new.hospital_id and account.id = new.account_id
  for no key update;
  if (
    select count(*) >= 5
    from app_public.emergency_access
    where emergency_access.hospital_id = new.hospital_id and emergency_access.account_id = new.account_id
      and emergency_access.expires_at > instant and emergency_access.revoked_at is null)
  then
    perform app_private.refuse('too_many_emergencies', '{"most": 5}');
  end if;
  return new;
end
$$;

comment on function app_private.admit_emergency_access() is
  'Trigger: dates an emergency access, and refuses the sixth in force of an account.';

revoke execute on function app_private.admit_emergency_access() from public;

create or replace trigger emergency_access_is_admitted
  before insert on app_public.emergency_access
  for each row execute function app_private.admit_emergency_access();
