-- Sessions that ended or expired a week ago, with their refresh tokens: nobody asks for them any more,
-- and a token of theirs is refused as unknown just as it was refused as ended. Definer, because no role
-- may delete sessions.
create or replace function app_private.remove_old_sessions(hospital_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  limit_of_memory timestamptz := app_private.clock() - interval '7 days';
  removed integer;
begin
  delete from app_private.session
  where session.hospital_id = remove_old_sessions.hospital_id
    and (session.ended_at < limit_of_memory or session.expires_at < limit_of_memory);
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_old_sessions(uuid) is
  'Deletes the sessions of a hospital that ended or expired a week ago, and returns how many.';

revoke execute on function app_private.remove_old_sessions(uuid) from public;
grant execute on function app_private.remove_old_sessions(uuid) to app_worker;
