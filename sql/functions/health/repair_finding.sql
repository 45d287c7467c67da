-- A repair is believed only when its check is silent again. It acts as the worker, whoever asked for it,
-- and the audit names the check. What it cannot do without a person, or has tried three times, goes to
-- people. Its error undoes what it did, and nothing else; what somebody else holds at this moment is left for
-- the next time, which is no attempt. The finding is locked first: of two repairs of it the second finds it
-- resolved. Definer, because repairs write what nobody else may.
create or replace function app_private.repair_finding(hospital_id uuid, finding_id uuid)
returns app_public.finding
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  finding app_public.finding;
  entry app_public.health_check;
  acted_as text := coalesce(current_setting('claims.role', true), '');
  did text;
  failure text;
  is_busy boolean := false;
  is_still_there boolean;
begin
  select * into finding
  from app_public.finding as known
  where known.hospital_id = repair_finding.hospital_id and known.id = repair_finding.finding_id
  for no key update;
  select * into entry from app_public.health_check as declared where declared.name = finding.check_name;
  if finding.id is null or finding.resolved_at is not null or entry.repair is null then
    return finding;
  end if;

  perform set_config('slotkeeper.repair', entry.name, true), set_config('claims.role', 'worker', true);
  begin
    execute format('select app_private.%I($1)', entry.repair) into did using finding;
  exception
    when lock_not_available or deadlock_detected then
      is_busy := true;
    when others then
      failure := format('%s: %s', sqlstate, left(sqlerrm, 300));
  end;
  perform set_config('slotkeeper.repair', '', true), set_config('claims.role', acted_as, true);
  if is_busy then
    return finding;
  end if;

  execute format('select exists (select from checks.%I as found where found.hospital_id = $1
    and found.entity_id is not distinct from $2 and found.cache_key = $3)', entry.name)
  into is_still_there using finding.hospital_id, finding.entity_id, finding.cache_key;

  if is_still_there then
    failure := coalesce(failure, 'It is still there. ' || did, 'No repair is safe without a person.');
  end if;
  update app_public.finding as known
  set repair_attempts = known.repair_attempts + 1,
      repair_error = failure,
      resolved_at = case when not is_still_there then app_private.check_instant() end,
      is_auto_corrected = not is_still_there
  where known.hospital_id = finding.hospital_id and known.id = finding.id
  returning * into finding;
  if is_still_there then
    if did is null or finding.repair_attempts >= 3 then
      perform app_private.queue_for_review(finding, failure);
    end if;
  else
    perform app_private.settle_findings(finding.hospital_id, array[finding.id]);
  end if;
  perform app_private.log_health(
    finding.hospital_id, 'repair', case when is_still_there then 'error' else 'info' end::app_public.log_level, finding.check_name,
    case when is_still_there then 'failed' else 'succeeded' end, coalesce(failure, did, 'The problem is gone.'),
    finding.entity_type, finding.entity_id, jsonb_build_object('finding_id', finding.id));
  return finding;
end
$$;

comment on function app_private.repair_finding(uuid, uuid) is
  'Repairs a finding where that is safe, and returns it as it stands then.';

revoke execute on function app_private.repair_finding(uuid, uuid) from public;
grant execute on function app_private.repair_finding(uuid, uuid) to app_worker;
