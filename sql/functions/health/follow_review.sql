-- What a review leads to. A dismissed finding was no problem: it is ignored from then on, so that nobody is
-- asked again. One that somebody resolved counts as resolved; if a check still sees it, it is new again and
-- waits for a review anew. Whoever decides has locked the finding before the review, as the checks do.
-- Definer, because nobody may write findings.
create or replace function app_private.follow_review() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.status = 'dismissed' then
    update app_public.finding
    set ignored_at = new.decided_at,
        ignored_by = new.decided_by,
        ignored_until = null,
        ignore_reason = new.note
    where finding.hospital_id = new.hospital_id and finding.id = new.finding_id;
  elsif new.status = 'resolved' and not new.is_settled then
    update app_public.finding
    set resolved_at = app_private.check_instant()
    where finding.hospital_id = new.hospital_id and finding.id = new.finding_id and finding.resolved_at is null;
  end if;
  if new.status in ('resolved', 'dismissed') and not new.is_settled then
    perform app_private.settle_health_alerts(new.hospital_id, array[new.finding_id]);
  end if;

  perform app_private.log_health(
    new.hospital_id, 'review', 'info', new.reason, case when new.decided_at is null then 'noted' else 'succeeded' end,
    case
      when new.is_settled then 'A review has settled itself. ' || new.note
      when new.status = 'resolved' then 'A review was resolved.'
      when new.status = 'dismissed' then 'A review was dismissed: it was no problem.'
      when new.status = 'pending' then 'A review was given back.'
      when old.status = 'in_review' then 'A review was taken over.'
      else 'A review was claimed.'
    end,
    new.entity_type, new.entity_id, jsonb_build_object('review_item_id', new.id, 'finding_id', new.finding_id));
  return null;
end
$$;

comment on function app_private.follow_review() is
  'Trigger: carries the decision of a review to its finding and alert, and writes it to the log.';

revoke execute on function app_private.follow_review() from public;

create or replace trigger review_is_followed
  after update of status, claimed_by on app_public.review_item
  for each row when (old.status <> new.status or old.claimed_by is distinct from new.claimed_by)
  execute function app_private.follow_review();
