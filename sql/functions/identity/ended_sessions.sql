-- What a server asks every few seconds, so that it refuses the access tokens of ended sessions even
-- when it missed the message of the relay. Of all hospitals: a server serves them all. Definer, because
-- no role may read sessions.
create or replace function app_private.ended_sessions(since timestamptz)
returns table (hospital_id uuid, session_id uuid)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select session.hospital_id, session.id from app_private.session where session.ended_at >= since;
end
$$;

comment on function app_private.ended_sessions(timestamptz) is 'Sessions that ended at or after this instant.';

revoke execute on function app_private.ended_sessions(timestamptz) from public;
grant execute on function app_private.ended_sessions(timestamptz) to app_login;
