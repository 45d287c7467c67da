-- The one way to say no. The scenario's code, words and hint stand in error_catalog and nowhere
-- else; a caller adds only the details. A scenario that the catalog does not know is a bug of ours
-- and surfaces as one (an unmapped error, masked at the edge), never as a silent pass.
create or replace function app_private.refuse(scenario text, details jsonb default '{}')
returns void
language plpgsql stable
set search_path = ''
as $$
declare
  entry app_public.error_catalog;
begin
  select * into entry from app_public.error_catalog where error_catalog.scenario = refuse.scenario;
  if not found then
    raise exception 'scenario % is not in the error catalog', refuse.scenario;
  end if;
  raise exception using
    errcode = entry.code,
    message = entry.message,
    detail = jsonb_build_object(
      'scenario', entry.scenario, 'recoverable', entry.is_recoverable, 'details', details)::text,
    hint = entry.hint;
end
$$;

comment on function app_private.refuse(text, jsonb) is
  'Raises the scenario of the error catalog with these details; never returns.';

revoke execute on function app_private.refuse(text, jsonb) from public;
grant execute on function app_private.refuse(text, jsonb)
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
