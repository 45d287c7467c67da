-- Ends sessions of an account; triggers tell the servers. Functions that run as the owner call it, with the
-- account's row locked, so that no session is opened past it.
create or replace function app_private.end_sessions(
  hospital_id uuid, account_id uuid, reason text, except_session_id uuid default null)
returns uuid[]
language plpgsql volatile
as $$
declare
  ids uuid[];
begin
  with ended as (
    update app_private.session
    set ended_at = app_private.clock(), end_reason = reason
    where session.hospital_id = end_sessions.hospital_id and session.account_id = end_sessions.account_id
      and session.ended_at is null and session.id is distinct from except_session_id
    returning session.id)
  select coalesce(array_agg(ended.id), '{}') into ids from ended;
  return ids;
end
$$;

comment on function app_private.end_sessions(uuid, uuid, text, uuid) is
  'Ends the sessions of an account, but for one, and returns their ids.';

revoke execute on function app_private.end_sessions(uuid, uuid, text, uuid) from public;
