-- Ends sessions of who asks: one of them, or all but the one that asks. Whose they are is read from the
-- claims, so nobody can name somebody else's. Definer, because no role may write sessions.
create or replace function app_private.end_own_sessions(hospital_id uuid, session_id uuid default null)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_id uuid := app_private.claim_account_id();
  present_id uuid := app_private.claim_session_id();
  ended integer;
begin
  if hospital_id is distinct from hospital then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.account
  where account.hospital_id = hospital and account.id = own_id
  for share;
  update app_private.session
  set ended_at = app_private.clock(), end_reason = 'revoked'
  where session.hospital_id = hospital and session.account_id = own_id and session.ended_at is null
    and case
      when end_own_sessions.session_id is null then session.id is distinct from present_id
      else session.id = end_own_sessions.session_id
    end;
  get diagnostics ended = row_count;
  if ended > 0 then
    perform app_private.record_security_event(
      hospital, 'session_revoked', own_id, jsonb_build_object('session_count', ended));
  end if;
  return ended;
end
$$;

comment on function app_private.end_own_sessions(uuid, uuid) is
  'Ends one session of the account of the request, or all others, and returns how many.';

revoke execute on function app_private.end_own_sessions(uuid, uuid) from public;
grant execute on function app_private.end_own_sessions(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
