-- Who ignores it, when and why comes from the claims and the clock, never from the caller. Definer, because
-- findings are written by nobody else; only findings of the caller's hospital are reached.
create or replace function app_private.set_finding_ignored(
  hospital_id uuid, finding_id uuid, reason text, ignored_until timestamptz)
returns app_public.finding
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  moment timestamptz := app_private.clock();
  before app_public.finding := app_private.find_finding(hospital_id, finding_id);
  changed app_public.finding;
begin
  perform app_private.guard_input(jsonb_build_object(
    'reason', case
      when reason is null or length(btrim(reason)) not between 1 and 2000
      then 'Say why, in at most 2000 characters.' end,
    'until', case when ignored_until <= moment then 'Choose a time to come, or leave it out to ignore it for good.' end));
  if before.resolved_at is not null then
    perform app_private.refuse('finding_is_resolved', jsonb_build_object('resolved_at', before.resolved_at));
  end if;

  update app_public.finding
  set ignored_at = moment,
      ignored_by = app_private.claim_account_id(),
      ignored_until = set_finding_ignored.ignored_until,
      ignore_reason = btrim(reason)
  where finding.hospital_id = set_finding_ignored.hospital_id and finding.id = finding_id
  returning * into changed;

  perform app_private.log_health(
    hospital_id => set_finding_ignored.hospital_id, kind => 'finding', level => 'info',
    name => changed.check_name, outcome => 'noted',
    message => case when ignored_until is null then 'A finding is ignored for good.'
      else format('A finding is ignored until %s.', to_char(ignored_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end,
    entity_type => changed.entity_type, entity_id => changed.entity_id,
    details => jsonb_build_object('finding_id', finding_id, 'reason', changed.ignore_reason, 'until', ignored_until));
  return changed;
end
$$;

comment on function app_private.set_finding_ignored(uuid, uuid, text, timestamptz) is
  'Marks a finding as ignored, by whoever the claims name, until a time or for good, and logs it.';

revoke execute on function app_private.set_finding_ignored(uuid, uuid, text, timestamptz) from public;
grant execute on function app_private.set_finding_ignored(uuid, uuid, text, timestamptz) to app_admin;
