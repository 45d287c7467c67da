-- What an account may become, whoever changes it. A hospital never loses its last active admin: the hospital's
-- row is the lock at which two admins who demote each other stand in line, and the second then finds that it
-- is not an admin any more, or that nobody would be left. Nobody changes their own rights. Lock order: account,
-- hospital; accounts of patients take no lock. Definer, because it looks at all accounts.
create or replace function app_private.guard_account() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor_id uuid := app_private.claim_account_id();
begin
  if (old.role = 'patient') <> (new.role = 'patient') then
    perform app_private.refuse('role_not_possible', jsonb_build_object('role', new.role));
  end if;
  if new.role = 'patient' then
    return new;
  end if;

  perform from app_public.hospital
  where hospital.id = new.hospital_id
  for no key update;
  if actor_id is not null then
    if actor_id = new.id then
      perform app_private.refuse('own_account');
    end if;
    if not exists (
      select from app_public.account
      where account.hospital_id = new.hospital_id and account.id = actor_id
        and account.role = 'admin' and account.is_active)
    then
      perform app_private.refuse('forbidden');
    end if;
  end if;
  if (new.role, new.doctor_id) is distinct from (old.role, old.doctor_id) then
    perform app_private.guard_staff_role(new.hospital_id, new.role, new.doctor_id, new.id);
  end if;
  if old.role = 'admin' and old.is_active and not (new.role = 'admin' and new.is_active) and not exists (
    select from app_public.account
    where account.hospital_id = new.hospital_id and account.id <> new.id
      and account.role = 'admin' and account.is_active)
  then
    perform app_private.refuse('last_admin');
  end if;
  return new;
end
$$;

comment on function app_private.guard_account() is
  'Trigger: refuses rights that an account cannot have, and to leave a hospital without an active admin.';

revoke execute on function app_private.guard_account() from public;

create or replace trigger account_change_is_guarded
  before update of is_active, role, doctor_id, patient_id on app_public.account
  for each row when (
    (old.is_active, old.role, old.doctor_id, old.patient_id)
      is distinct from (new.is_active, new.role, new.doctor_id, new.patient_id))
  execute function app_private.guard_account();
