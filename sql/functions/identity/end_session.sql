-- Logging out. Whoever holds a refresh token of a session, even a used one, may end it; ending twice
-- or what never was is no error. Definer, because no role may write sessions.
create or replace function app_private.end_session(hospital_id uuid, token_hash bytea)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  ended uuid;
begin
  update app_private.session
  set ended_at = app_private.clock(), end_reason = 'logout'
  from app_private.refresh_token
  where session.hospital_id = end_session.hospital_id
    and refresh_token.hospital_id = end_session.hospital_id
    and refresh_token.token_hash = end_session.token_hash
    and session.id = refresh_token.session_id
    and session.ended_at is null
  returning session.id into ended;
  return ended;
end
$$;

comment on function app_private.end_session(uuid, bytea) is
  'Ends the session of a refresh token and returns its id; null when there was none to end.';

revoke execute on function app_private.end_session(uuid, bytea) from public;
grant execute on function app_private.end_session(uuid, bytea) to app_login;
