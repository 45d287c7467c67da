-- A login that names no account of a hospital: that it happened, from where, and not which address was tried.
-- Definer, because no role may write events.
create or replace function app_private.record_unknown_login(hospital_slug text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid;
begin
  select hospital.id into hospital from app_public.hospital where hospital.slug = hospital_slug;
  if found then
    perform app_private.record_security_event(hospital, 'login_failed');
  end if;
end
$$;

comment on function app_private.record_unknown_login(text) is
  'Writes that a login named no account of this hospital.';

revoke execute on function app_private.record_unknown_login(text) from public;
grant execute on function app_private.record_unknown_login(text) to app_login;
