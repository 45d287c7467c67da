-- A finding waits for people once, however often it is found: the unique index of open reviews says so
-- also to those who run at once. What is ignored waits for nobody. One that was decided and is back gets a
-- new item.
create or replace function app_private.queue_for_review(finding app_public.finding, detail text default null)
returns void
language plpgsql volatile
as $$
declare
  queued app_public.review_item;
begin
  if finding.ignored_at is not null and coalesce(finding.ignored_until > app_private.clock(), true) then
    return;
  end if;
  insert into app_public.review_item (
    hospital_id, finding_id, reason, priority, entity_type, entity_id, detail, context)
  values (
    finding.hospital_id, finding.id, finding.check_name,
    app_private.review_priority(finding.check_name, finding.severity),
    finding.entity_type, finding.entity_id, concat_ws(' ', finding.detail, queue_for_review.detail), finding.metadata)
  on conflict do nothing
  returning * into queued;
  if queued.id is not null then
    perform app_private.log_health(
      queued.hospital_id, 'review', 'warning', queued.reason, 'noted', 'A finding waits for a review.',
      queued.entity_type, queued.entity_id,
      jsonb_build_object('review_item_id', queued.id, 'finding_id', queued.finding_id, 'priority', queued.priority));
  end if;
end
$$;

comment on function app_private.queue_for_review(app_public.finding, text) is
  'Gives a finding to people to review, unless it waits for them already or is ignored.';

revoke execute on function app_private.queue_for_review(app_public.finding, text) from public;
