-- What an account may do stands in its access tokens. When that changes, or the account is switched
-- off, its sessions end in the same transaction, whoever makes the change. The row of the account is
-- locked by its update, so a login or a refresh at the same moment comes before or after, never
-- between (see open_session). Definer, because who changes an account may not write sessions.
create or replace function app_private.end_sessions_of_account() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_private.session
  set ended_at = app_private.clock(),
      end_reason = case when new.is_active then 'account_changed' else 'account_deactivated' end
  where session.hospital_id = new.hospital_id and session.account_id = new.id and session.ended_at is null;
  return null;
end
$$;

comment on function app_private.end_sessions_of_account() is
  'Trigger: ends the sessions of an account that is deactivated or becomes somebody else.';

revoke execute on function app_private.end_sessions_of_account() from public;

create or replace trigger account_change_ends_its_sessions
  after update of is_active, role, doctor_id, patient_id on app_public.account
  for each row when (
    (old.is_active, old.role, old.doctor_id, old.patient_id)
      is distinct from (new.is_active, new.role, new.doctor_id, new.patient_id))
  execute function app_private.end_sessions_of_account();
