-- What an account may do has changed: that is an event, and links of the account are void. Definer, because
-- who changes an account may not write either.
create or replace function app_private.record_account_change() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from app_private.login_token
  where login_token.hospital_id = new.hospital_id and login_token.account_id = new.id;
  if old.is_active and not new.is_active then
    perform app_private.record_security_event(new.hospital_id, 'account_deactivated', new.id);
  elsif new.is_active and not old.is_active then
    perform app_private.record_security_event(new.hospital_id, 'account_reactivated', new.id);
  end if;
  if (old.role, old.doctor_id) is distinct from (new.role, new.doctor_id) then
    perform app_private.record_security_event(
      new.hospital_id, 'role_changed', new.id, jsonb_build_object('from', old.role, 'to', new.role));
  end if;
  return null;
end
$$;

comment on function app_private.record_account_change() is
  'Trigger: writes the security event of a change of rights, and voids the account''s links.';

revoke execute on function app_private.record_account_change() from public;

create or replace trigger account_change_is_recorded
  after update of is_active, role, doctor_id, patient_id on app_public.account
  for each row when (
    (old.is_active, old.role, old.doctor_id, old.patient_id)
      is distinct from (new.is_active, new.role, new.doctor_id, new.patient_id))
  execute function app_private.record_account_change();
