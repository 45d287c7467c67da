-- A finding waits for people once, however often it is found.
create or replace function app_private.queue_for_review(finding app_public.finding, detail text default null)
returns void
language plpgsql volatile
as $$
begin
  insert into app_public.review_item (
    hospital_id, finding_id, reason, priority, entity_type, entity_id, detail, context)
  values (
    finding.hospital_id, finding.id, finding.check_name,
    case finding.severity when 'critical' then 1 when 'warning' then 3 else 5 end,
    finding.entity_type, finding.entity_id, concat_ws(' ', finding.detail, queue_for_review.detail), finding.metadata)
  on conflict do nothing;
end
$$;

comment on function app_private.queue_for_review(app_public.finding, text) is
  'Gives a finding to people to review, unless it waits for them already.';

revoke execute on function app_private.queue_for_review(app_public.finding, text) from public;
