-- The session of somebody who had to enrol and has: the challenge is used up with it. Definer, because no role
-- may write sessions.
create or replace function app_private.pass_enrolment(
  hospital_id uuid, challenge_hash bytea, token_hash bytea, lifetime interval)
returns table (
  account_id uuid, session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text,
  display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  owner_id uuid := app_private.find_challenge(hospital_id, challenge_hash, 'enrolment');
begin
  update app_private.login_token
  set used_at = app_private.clock()
  where login_token.hospital_id = pass_enrolment.hospital_id and login_token.token_hash = challenge_hash
    and login_token.account_id = owner_id and login_token.used_at is null;
  if not found or not exists (
    select from app_private.second_factor
    where second_factor.hospital_id = pass_enrolment.hospital_id and second_factor.account_id = owner_id
      and second_factor.confirmed_at is not null)
  then
    perform app_private.refuse('challenge_not_valid');
  end if;
  return query
    select owner_id, begun.*
    from app_private.begin_session(
      pass_enrolment.hospital_id, owner_id, pass_enrolment.token_hash, pass_enrolment.lifetime) as begun;
end
$$;

comment on function app_private.pass_enrolment(uuid, bytea, bytea, interval) is
  'Opens a session after an enrolment that was demanded; its challenge is used up.';

revoke execute on function app_private.pass_enrolment(uuid, bytea, bytea, interval) from public;
grant execute on function app_private.pass_enrolment(uuid, bytea, bytea, interval) to app_login;
