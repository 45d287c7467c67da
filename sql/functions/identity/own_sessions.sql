-- The sessions of who asks, by the claims. Definer, because no role may read sessions.
create or replace function app_private.own_sessions()
returns setof app_public.login_session
language plpgsql stable security definer
set search_path = ''
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_id uuid := app_private.claim_account_id();
  present_id uuid := app_private.claim_session_id();
begin
  return query
    select session.id, session.created_at, session.last_used_at, session.expires_at, session.device,
      session.ip_prefix, session.id is not distinct from present_id
    from app_private.session
    where session.hospital_id = hospital and session.account_id = own_id and session.ended_at is null
      and session.expires_at > app_private.clock()
    order by session.last_used_at desc, session.id;
end
$$;

comment on function app_private.own_sessions() is 'Sessions of the account of the request that are still good, last used first.';

revoke execute on function app_private.own_sessions() from public;
grant execute on function app_private.own_sessions()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
