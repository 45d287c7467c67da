-- The domain comes from the catalog, so that findings can be sought by it without a join that a client
-- cannot make. A check that has left the catalog leaves it empty.
create or replace function app_private.place_finding() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  select health_check.domain into new.domain
  from app_public.health_check
  where health_check.name = new.check_name;
  return new;
end
$$;

comment on function app_private.place_finding() is 'Trigger: takes the domain of a finding from the catalog of checks.';

revoke execute on function app_private.place_finding() from public;

create or replace trigger finding_is_placed
  before insert on app_public.finding
  for each row execute function app_private.place_finding();
