create or replace function app_public.system_findings()
returns setof app_public.finding
language plpgsql stable
as $$
begin
  perform app_private.request_hospital_id();
  return query select * from app_private.findings_of_system();
end
$$;

comment on function app_public.system_findings() is
  'What is wrong with the whole system, which serves all hospitals, worst first. Only who runs it can act on that.';

revoke execute on function app_public.system_findings() from public;
grant execute on function app_public.system_findings() to app_admin;
