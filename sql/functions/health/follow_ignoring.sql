-- What people chose to ignore waits for nobody and alarms nobody, whoever ignores it and however. What is
-- not ignored any more and still open waits and alarms like a new finding; checks tell only of what they did
-- not know. Definer, because nobody may write reviews and alerts.
create or replace function app_private.follow_ignoring() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.ignored_at is not null then
    perform app_private.settle_review(new.hospital_id, array[new.id], 'The finding is ignored.');
    perform app_private.settle_health_alerts(new.hospital_id, array[new.id]);
    return null;
  end if;
  if new.resolved_at is not null then
    return null;
  end if;
  if exists (
    select from app_public.health_check as entry where entry.name = new.check_name and entry.remedy = 'review')
  then
    perform app_private.queue_for_review(new);
  end if;
  if new.severity = 'critical' then
    perform app_private.raise_health_alert(new);
  end if;
  return null;
end
$$;

comment on function app_private.follow_ignoring() is
  'Trigger: closes the open review and alert of a finding that is ignored, and tells of one that is not any more.';

revoke execute on function app_private.follow_ignoring() from public;

create or replace trigger ignoring_is_followed
  after update of ignored_at on app_public.finding
  for each row when ((old.ignored_at is null) <> (new.ignored_at is null))
  execute function app_private.follow_ignoring();
