-- Definer, because findings are written by nobody else; only findings of the caller's hospital are reached.
create or replace function app_private.set_finding_noticed(hospital_id uuid, finding_id uuid)
returns app_public.finding
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  before app_public.finding := app_private.find_finding(hospital_id, finding_id);
  changed app_public.finding;
begin
  if before.ignored_at is null then
    perform app_private.refuse('finding_is_not_ignored');
  end if;

  update app_public.finding
  set ignored_at = null, ignored_by = null, ignored_until = null, ignore_reason = null
  where finding.hospital_id = set_finding_noticed.hospital_id and finding.id = finding_id
  returning * into changed;

  perform app_private.log_health(
    hospital_id => set_finding_noticed.hospital_id, kind => 'finding', level => 'info',
    name => changed.check_name, outcome => 'noted', message => 'A finding is no longer ignored.',
    entity_type => changed.entity_type, entity_id => changed.entity_id,
    details => jsonb_build_object('finding_id', finding_id, 'reason', before.ignore_reason));
  return changed;
end
$$;

comment on function app_private.set_finding_noticed(uuid, uuid) is
  'Ends that a finding is ignored, and logs it.';

revoke execute on function app_private.set_finding_noticed(uuid, uuid) from public;
grant execute on function app_private.set_finding_noticed(uuid, uuid) to app_admin;
