-- A finding that somebody wants to change, locked. Findings of the whole system can be read by the admins
-- of every hospital, so it is no secret that they are there; they are for who runs the system.
create or replace function app_private.find_finding(hospital_id uuid, finding_id uuid)
returns app_public.finding
language plpgsql volatile
as $$
declare
  machinery uuid := app_private.machinery();
  found_one app_public.finding;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select * into found_one
  from app_public.finding
  where finding.hospital_id = find_finding.hospital_id and finding.id = finding_id
  for no key update;
  if not found then
    if exists (
      select from app_public.finding where finding.hospital_id = machinery and finding.id = finding_id)
    then
      perform app_private.refuse('finding_of_the_system', jsonb_build_object('finding_id', finding_id));
    end if;
    perform app_private.refuse('finding_not_found', jsonb_build_object('finding_id', finding_id));
  end if;
  return found_one;
end
$$;

comment on function app_private.find_finding(uuid, uuid) is
  'The finding of a hospital with this id, locked; refuses what is not there and what only operators may change.';

revoke execute on function app_private.find_finding(uuid, uuid) from public;
