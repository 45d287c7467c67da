-- The session of somebody whose code was right: challenge and code are used up with it, or nothing happens.
-- Lock order: account, token, second factor, session. Definer, because no role may write any of it.
create or replace function app_private.pass_challenge(
  hospital_id uuid, challenge_hash bytea, step bigint, code_hash bytea, token_hash bytea, lifetime interval)
returns table (
  account_id uuid, session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text,
  display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  owner_id uuid := app_private.find_challenge(hospital_id, challenge_hash, 'second_factor');
begin
  perform from app_public.account
  where account.hospital_id = pass_challenge.hospital_id and account.id = owner_id
  for share;
  update app_private.login_token
  set used_at = app_private.clock()
  where login_token.hospital_id = pass_challenge.hospital_id and login_token.token_hash = challenge_hash
    and login_token.account_id = owner_id and login_token.used_at is null;
  if not found then
    perform app_private.refuse('challenge_not_valid');
  end if;
  if not app_private.use_second_factor(hospital_id, owner_id, step, code_hash) then
    perform app_private.refuse('second_factor_wrong');
  end if;
  return query
    select owner_id, begun.*
    from app_private.begin_session(
      pass_challenge.hospital_id, owner_id, pass_challenge.token_hash, pass_challenge.lifetime) as begun;
end
$$;

comment on function app_private.pass_challenge(uuid, bytea, bigint, bytea, bytea, interval) is
  'Opens a session after a right code; challenge and code are used up.';

revoke execute on function app_private.pass_challenge(uuid, bytea, bigint, bytea, bytea, interval) from public;
grant execute on function app_private.pass_challenge(uuid, bytea, bigint, bytea, bytea, interval) to app_login;
