-- What becomes of a finding that was not known: the log has it, people review what no machine may
-- repair, and what is critical alarms at once. What somebody chose to ignore is only remembered. Of a flood
-- only the first are told one by one.
create or replace function app_private.tell_of_finding(
  finding app_public.finding, entry app_public.health_check, is_told boolean default true)
returns void
language plpgsql volatile
as $$
begin
  if finding.ignored_at is not null and coalesce(finding.ignored_until > app_private.clock(), true) then
    return;
  end if;
  if entry.remedy = 'review' then
    perform app_private.queue_for_review(finding);
  end if;
  if not is_told then
    return;
  end if;
  perform app_private.log_health(
    finding.hospital_id, 'finding', finding.severity::text::app_public.log_level, finding.check_name, 'noted', finding.detail, finding.entity_type, finding.entity_id,
    jsonb_build_object('finding_id', finding.id));
  if finding.severity = 'critical' then
    perform app_private.raise_health_alert(finding);
  end if;
end
$$;

comment on function app_private.tell_of_finding(app_public.finding, app_public.health_check, boolean) is
  'Logs a new finding, gives it to people to review where no repair is safe, and raises an alert where it is critical.';

revoke execute on function app_private.tell_of_finding(app_public.finding, app_public.health_check, boolean) from public;
