-- A problem that is gone needs nobody's attention any more.
create or replace function app_private.settle_findings(hospital_id uuid, finding_ids uuid[])
returns void
language plpgsql volatile
as $$
begin
  perform app_private.settle_review(hospital_id, finding_ids);
  perform app_private.settle_health_alerts(hospital_id, finding_ids);
end
$$;

comment on function app_private.settle_findings(uuid, uuid[]) is
  'Closes the reviews and alerts of findings that are resolved.';

revoke execute on function app_private.settle_findings(uuid, uuid[]) from public;
