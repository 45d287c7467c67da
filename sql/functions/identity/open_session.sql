-- Opens the session of somebody whose password was right. password_hash is the one that was compared: should
-- the password have been changed since, it was not right any more. Nobody with a second factor gets in here
-- without it, nor an admin who must have one. The account is locked before any of that is asked, as
-- begin_session says. Definer, because no role may write sessions.
create or replace function app_private.open_session(
  hospital_id uuid, account_id uuid, token_hash bytea, lifetime interval, password_hash text default null)
returns table (
  session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text, display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = open_session.hospital_id and account.id = open_session.account_id
  for share;
  if password_hash is not null and not exists (
    select from app_private.account_secret
    where account_secret.hospital_id = open_session.hospital_id
      and account_secret.account_id = open_session.account_id
      and account_secret.password_hash = open_session.password_hash)
  then
    perform app_private.refuse('invalid_credentials');
  end if;
  if app_private.second_factor_needed(present.hospital_id, present.id, present.role) is not null then
    perform app_private.refuse('second_factor_required');
  end if;
  return query
    select * from app_private.begin_session(
      open_session.hospital_id, open_session.account_id, open_session.token_hash, open_session.lifetime);
end
$$;

comment on function app_private.open_session(uuid, uuid, bytea, interval, text) is
  'Opens a session after a right password, where nothing more is needed, and returns what the access token says.';

revoke execute on function app_private.open_session(uuid, uuid, bytea, interval, text) from public;
grant execute on function app_private.open_session(uuid, uuid, bytea, interval, text) to app_login;
