-- Definer, because findings of the whole system stand under a hospital that no claim names. They tell of
-- the machine and the schema, never of a hospital's rows, so that every admin may know of them.
create or replace function app_private.findings_of_system()
returns setof app_public.finding
language plpgsql stable security definer
set search_path = ''
as $$
declare
  machinery uuid := app_private.machinery();
begin
  return query
  select * from app_public.finding
  where finding.hospital_id = machinery and finding.resolved_at is null
  order by finding.severity desc, finding.first_seen_at desc, finding.id desc;
end
$$;

comment on function app_private.findings_of_system() is
  'What is wrong with the whole system by the last look, worst first.';

revoke execute on function app_private.findings_of_system() from public;
grant execute on function app_private.findings_of_system() to app_admin;
