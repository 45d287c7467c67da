-- What people chose to ignore waits for nobody and alarms nobody, whoever ignores it and however. What is
-- not ignored any more and still open is told like a new finding; checks tell only of what they did not
-- know. Definer, because nobody may write reviews, alerts and the log.
create or replace function app_private.follow_ignoring() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  entry app_public.health_check;
begin
  if new.ignored_at is not null then
    perform app_private.settle_review(new.hospital_id, array[new.id], 'The finding is ignored.');
    perform app_private.settle_health_alerts(new.hospital_id, array[new.id]);
    return null;
  end if;
  select * into entry from app_public.health_check as declared where declared.name = new.check_name;
  if entry.name is not null and new.resolved_at is null then
    perform app_private.tell_of_finding(new, entry);
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
