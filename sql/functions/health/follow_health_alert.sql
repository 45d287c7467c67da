-- Tells the outside, by a row, that people are to be told, and writes the log. The relay makes one job a
-- hospital of it, which tells all that is new in one message a check: a flood of findings is no flood of
-- messages. Definer, because nobody may write outbox and log.
create or replace function app_private.follow_health_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.status = 'active' then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (new.hospital_id, 'health_alert', new.id::text, jsonb_build_object('alert_ids', jsonb_build_array(new.id)));
  end if;
  perform app_private.log_health(
    new.hospital_id, 'alert',
    case when new.status <> 'active' then 'info' when new.severity = 'critical' then 'critical' else 'warning' end::app_public.log_level,
    new.check_name, case when new.status = 'resolved' then 'succeeded' else 'noted' end,
    case
      when new.status = 'active' and new.times_raised > 1 then format('An alert was raised again: %s', new.detail)
      when new.status = 'active' then format('An alert was raised: %s', new.detail)
      when new.status = 'acknowledged' then 'An alert was acknowledged.'
      when new.is_settled then 'An alert is over: the problem is gone, or is ignored.'
      else 'An alert was resolved.'
    end,
    details => jsonb_build_object('alert_id', new.id, 'finding_id', new.finding_id, 'times_raised', new.times_raised));
  return null;
end
$$;

comment on function app_private.follow_health_alert() is
  'Trigger: leaves a message in the outbox for an alert that was raised, and writes its life to the log.';

revoke execute on function app_private.follow_health_alert() from public;

create or replace trigger new_health_alert_is_followed
  after insert on app_public.health_alert
  for each row execute function app_private.follow_health_alert();

create or replace trigger health_alert_is_followed
  after update of status, times_raised on app_public.health_alert
  for each row when (old.status <> new.status or old.times_raised <> new.times_raised)
  execute function app_private.follow_health_alert();
