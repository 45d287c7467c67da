-- A repair looks again once it holds the locks: what the check says then, nobody changes any more.
create or replace function app_private.is_still_found(finding app_public.finding)
returns boolean
language plpgsql volatile
as $$
declare
  answer boolean;
begin
  execute format(
    'select exists (select from checks.%I as found where found.hospital_id = $1 and found.entity_id = $2 and found.cache_key = $3)',
    finding.check_name)
  into answer using finding.hospital_id, finding.entity_id, finding.cache_key;
  return answer;
end
$$;

comment on function app_private.is_still_found(app_public.finding) is 'Whether its check still finds this problem.';

revoke execute on function app_private.is_still_found(app_public.finding) from public;
