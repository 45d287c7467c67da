-- What people chose to ignore waits for nobody and alarms nobody, whoever ignores it and however. Definer,
-- because nobody may say that a review or an alert has settled itself.
create or replace function app_private.settle_ignored() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.settle_review(new.hospital_id, array[new.id], 'The finding is ignored.');
  perform app_private.settle_health_alerts(new.hospital_id, array[new.id]);
  return null;
end
$$;

comment on function app_private.settle_ignored() is 'Trigger: closes the open review and alert of a finding that is ignored.';

revoke execute on function app_private.settle_ignored() from public;

create or replace trigger what_is_ignored_waits_for_nobody
  after update of ignored_at on app_public.finding
  for each row when (old.ignored_at is null and new.ignored_at is not null)
  execute function app_private.settle_ignored();
