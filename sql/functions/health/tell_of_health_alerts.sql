-- People are told of an alert once, and again when it was raised again and its quiet period is over; never
-- of one that somebody has acknowledged. All that is new of one check is one message, however much it is.
-- That they are told, the inbox and the message for the chat are one transaction: who dies has told nobody,
-- and two who tell at once share the alerts between them. The inbox waits for no chat. Definer, because no
-- role may write alerts, messages and inboxes.
create or replace function app_private.tell_of_health_alerts(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  quiet interval := app_private.quiet_period(hospital_id);
  room text := coalesce(
    (select hospital.health_chat_room from app_public.hospital where hospital.id = tell_of_health_alerts.hospital_id), 'health');
  news record;
  headline text;
  words text;
  told integer := 0;
begin
  for news in
    with due as materialized (
      select alert.id
      from app_public.health_alert as alert
      where alert.hospital_id = tell_of_health_alerts.hospital_id
        and alert.status = 'active'
        and (alert.told_at is null or alert.told_at < alert.last_raised_at)
        and coalesce(alert.told_at <= instant - quiet, true)
      order by alert.last_raised_at
      limit 10000
      for no key update skip locked
    ), marked as (
      update app_public.health_alert as alert
      set told_at = instant
      from due
      where alert.hospital_id = tell_of_health_alerts.hospital_id and alert.id = due.id
      returning alert.id, alert.check_name, alert.severity, alert.title, alert.detail
    )
    select marked.check_name, max(marked.severity) as severity, min(marked.title) as title, count(*)::integer as size,
      array_agg(marked.id order by marked.id) as alert_ids,
      (array_agg(marked.detail order by marked.id))[1:5] as details
    from marked
    group by marked.check_name
    order by max(marked.severity) desc, marked.check_name
  loop
    headline := format('%s%s%s', case when tell_of_health_alerts.hospital_id = app_private.machinery() then 'System: ' else '' end,
      news.title, case when news.size > 1 then format(' (%s)', news.size) else '' end);
    words := array_to_string(news.details, E'\n') || case
      when news.size > cardinality(news.details) then format(E'\nand %s more.', news.size - cardinality(news.details)) else '' end;
    insert into app_private.health_alert_delivery (hospital_id, channel, room, check_name, alert_ids, title, body, next_attempt_at, planned_at)
    values (tell_of_health_alerts.hospital_id, 'chat', room, news.check_name, news.alert_ids,
      format('[%s] %s', news.severity, headline), format(E'%s\nCheck: %s', words, news.check_name), instant, instant);
    perform app_private.tell_admins(
      tell_of_health_alerts.hospital_id, 'health_alert_raised', jsonb_build_object('reason', headline, 'message', words));
    told := told + news.size;
  end loop;
  return told;
end
$$;

comment on function app_private.tell_of_health_alerts(uuid) is
  'Tells the admins and the chat of a hospital, or of the machinery, of alerts that they were not told of; returns of how many.';

revoke execute on function app_private.tell_of_health_alerts(uuid) from public;
grant execute on function app_private.tell_of_health_alerts(uuid) to app_worker;
