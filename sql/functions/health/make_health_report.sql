-- The report of one local day of a hospital, made or made again: it costs what the day had, by indexes of
-- time, of doctors and of what is open, however long the history is. What was found is told by when it was
-- first seen; a problem that came back later is told on the later day. Definer, because it reads what only
-- the people concerned may read and writes what nobody may; it tells numbers, and sentences of findings.
create or replace function app_private.make_health_report(hospital_id uuid, day date)
returns app_public.health_report
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  tenant app_public.hospital;
  starting timestamptz;
  ending timestamptz;
  totals jsonb;
  counted record;
  summary record;
  before record;
  mean numeric;
  rate numeric;
  open_actions jsonb;
  figures jsonb;
  made app_public.health_report;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select * into tenant from app_public.hospital where hospital.id = make_health_report.hospital_id;
  starting := day::timestamp at time zone tenant.time_zone;
  ending := (day + 1)::timestamp at time zone tenant.time_zone;

  select
    coalesce(sum(visits.size), 0) as appointments,
    coalesce(jsonb_object_agg(visits.status, visits.size), '{}') as by_status
  into counted
  from (
    select visit.status, count(*) as size
    from (
      select appointment.status
      from app_public.doctor
      join app_public.appointment
        on appointment.hospital_id = make_health_report.hospital_id and appointment.doctor_id = doctor.id
        and appointment.starts_at >= starting and appointment.starts_at < ending
      where doctor.hospital_id = make_health_report.hospital_id
      union all
      select archived.status
      from app_public.doctor
      join app_public.appointment_archive as archived
        on archived.hospital_id = make_health_report.hospital_id and archived.doctor_id = doctor.id
        and archived.starts_at >= starting and archived.starts_at < ending
      where doctor.hospital_id = make_health_report.hospital_id
    ) as visit
    group by visit.status
  ) as visits;
  select jsonb_build_object('appointments', counted.appointments, 'by_status', counted.by_status,
    'slots', count(*), 'seats', coalesce(sum(slot.capacity), 0), 'seats_taken', coalesce(sum(slot.booked_count), 0))
  into totals
  from app_public.doctor
  join app_public.slot
    on slot.hospital_id = make_health_report.hospital_id and slot.doctor_id = doctor.id
    and slot.starts_at >= starting and slot.starts_at < ending and slot.withdrawn_at is null
  where doctor.hospital_id = make_health_report.hospital_id;
  select totals || jsonb_build_object(
    'bookings_made', count(*) filter (where entry.operation = 'insert'),
    'cancellations', count(*) filter (where entry.operation = 'update' and entry.changed_columns ->> 'status' = 'cancelled'),
    'verified', (select done.verified from app_private.verifications(make_health_report.hospital_id, starting, ending) as done))
  into totals
  from app_public.audit_entry as entry
  where entry.hospital_id = make_health_report.hospital_id
    and entry.id >= app_private.audit_id_at(make_health_report.hospital_id, starting - interval '10 minutes')
    and entry.id < app_private.audit_id_at(make_health_report.hospital_id, ending + interval '10 minutes')
    and entry.recorded_at >= starting and entry.recorded_at < ending
    and entry.table_name = 'appointment';

  with known as materialized (
    select finding.*, finding.first_seen_at >= starting and finding.first_seen_at < ending as is_of_day
    from app_public.finding
    where finding.hospital_id = make_health_report.hospital_id
      and finding.first_seen_at >= starting and finding.first_seen_at < ending
    union all
    select finding.*, false
    from app_public.finding
    where finding.hospital_id = make_health_report.hospital_id
      and finding.first_seen_at < starting and finding.resolved_at is null
    union all
    select finding.*, false
    from app_public.finding
    where finding.hospital_id = make_health_report.hospital_id
      and finding.resolved_at >= starting and finding.first_seen_at < starting
  ), judged as materialized (
    select known.*,
      known.resolved_at is null or known.resolved_at >= ending as is_open,
      known.resolved_at >= starting and known.resolved_at < ending as is_gone,
      coalesce(entry.title, known.check_name) as title,
      entry.remedy,
      act.what,
      act.done_at
    from known
    left join app_public.health_check as entry on entry.name = known.check_name
    cross join lateral (
      select step.what, step.done_at
      from (
        values
          ('found', known.first_seen_at, 1),
          (case when known.is_auto_corrected then 'repaired' else 'gone' end, known.resolved_at, 3),
          (case when known.repair_error is not null then 'repair failed' end, known.last_seen_at, 0)
        union all
        select case item.status when 'in_review' then 'in review' when 'pending' then 'waits for a review' else item.status::text end,
          coalesce(item.decided_at, item.claimed_at, greatest(item.created_at, known.first_seen_at)), 2
        from app_public.review_item as item
        where item.hospital_id = make_health_report.hospital_id and item.finding_id = known.id
        union all
        select 'acknowledged', alert.acknowledged_at, 2
        from app_public.health_alert as alert
        where alert.hospital_id = make_health_report.hospital_id and alert.finding_id = known.id
      ) as step (what, done_at, weight)
      where step.what is not null and step.done_at is not null
      order by step.done_at desc, step.weight desc
      limit 1
    ) as act
    where known.ignored_at is null
  ), by_check as materialized (
    select judged.check_name, max(judged.severity) as severity, min(judged.title) as title,
      count(*) filter (where judged.is_of_day) as found,
      count(*) filter (where judged.is_gone) as gone,
      count(*) filter (where judged.is_open) as still_open,
      (array_agg(judged.what order by judged.done_at desc))[1] as last_action,
      max(judged.done_at) as last_action_at
    from judged
    group by judged.check_name
  ), worst as (
    select by_check.*, row_number() over (
      order by by_check.severity desc, by_check.found + by_check.still_open desc, by_check.check_name) as number
    from by_check
    where by_check.found + by_check.still_open > 0
  )
  select
    (select coalesce(jsonb_agg(jsonb_build_object(
        'check', by_check.check_name, 'title', by_check.title, 'severity', by_check.severity, 'found', by_check.found,
        'resolved', by_check.gone, 'open', by_check.still_open)
        order by by_check.severity desc, by_check.found desc, by_check.check_name), '[]')
      from by_check where by_check.found + by_check.gone + by_check.still_open > 0) as by_check,
    (select coalesce(jsonb_agg(jsonb_build_object(
        'check', worst.check_name, 'title', worst.title, 'severity', worst.severity, 'found', worst.found,
        'open', worst.still_open, 'last_action', worst.last_action,
        'last_action_at', to_char(worst.last_action_at at time zone tenant.time_zone, 'YYYY-MM-DD HH24:MI'),
        'cases', (
          select jsonb_agg(jsonb_build_object(
            'finding_id', example.id, 'entity_type', example.entity_type, 'entity_id', example.entity_id,
            'detail', example.detail, 'state', example.what) order by example.is_open desc, example.id)
          from (
            select * from judged
            where judged.check_name = worst.check_name and (judged.is_of_day or judged.is_open)
            order by judged.is_open desc, judged.id
            limit 3) as example))
        order by worst.number), '[]')
      from worst where worst.number <= 5) as top_issues,
    count(*) filter (where judged.is_of_day) as found,
    count(*) filter (where judged.is_of_day and judged.severity = 'critical') as critical,
    count(*) filter (where judged.is_of_day and judged.severity = 'warning') as warning,
    count(*) filter (where judged.is_of_day and judged.severity = 'info') as info,
    count(*) filter (where judged.is_gone) as gone,
    count(*) filter (where judged.is_of_day and judged.remedy = 'repair') as repairable,
    count(*) filter (where judged.is_of_day and judged.remedy = 'repair' and judged.is_auto_corrected) as corrected,
    count(*) filter (where judged.is_of_day and judged.detected_after is not null) as measured,
    avg(extract(epoch from judged.detected_after)) filter (where judged.is_of_day) as latency
  into summary
  from judged;

  select count(*) as known, avg((report.figures #>> '{inconsistencies,found}')::numeric) as mean into before
  from app_public.health_report as report
  where report.hospital_id = make_health_report.hospital_id
    and report.day >= make_health_report.day - 7 and report.day < make_health_report.day;
  mean := round(before.mean, 2);
  rate := round(100.0 * summary.found
    / nullif((totals ->> 'appointments')::numeric + (totals ->> 'slots')::numeric, 0), 2);

  select jsonb_build_object(
    'reviews', coalesce(sum(waiting.size), 0),
    'reviews_by_priority', coalesce(jsonb_object_agg(waiting.priority, waiting.size), '{}'),
    'alerts', (
      select count(*) from app_public.health_alert
      where health_alert.hospital_id = make_health_report.hospital_id and health_alert.status <> 'resolved'))
  into open_actions
  from (
    select review_item.priority, count(*) as size
    from app_public.review_item
    where review_item.hospital_id = make_health_report.hospital_id and review_item.status in ('pending', 'in_review')
    group by review_item.priority
  ) as waiting;

  figures := jsonb_build_object(
    'hospital', tenant.name, 'day', day, 'time_zone', tenant.time_zone, 'starts_at', starting, 'ends_at', ending,
    'totals', totals,
    'inconsistencies', jsonb_build_object('found', summary.found, 'critical', summary.critical, 'warning', summary.warning,
      'info', summary.info, 'resolved', summary.gone, 'rate', rate,
      'looked_at', (totals ->> 'appointments')::numeric + (totals ->> 'slots')::numeric),
    'checks', summary.by_check,
    'top_issues', summary.top_issues,
    'trend', jsonb_build_object('days_known', before.known, 'mean_found', mean,
      'change_percent', round(100.0 * (summary.found - mean) / nullif(mean, 0)),
      'direction', case when before.known = 0 then 'unknown' when summary.found < mean then 'better'
        when summary.found > mean then 'worse' else 'same' end),
    'recovery', jsonb_build_object('repairable', summary.repairable, 'auto_corrected', summary.corrected,
      'rate', round(100.0 * summary.corrected / nullif(summary.repairable, 0), 2)),
    'detection', jsonb_build_object('measured', summary.measured, 'mean_seconds', round(summary.latency, 3)),
    'open_actions', open_actions);

  insert into app_public.health_report as known (hospital_id, day, figures, text, made_at)
  values (make_health_report.hospital_id, make_health_report.day, figures, app_private.health_report_text(figures),
    app_private.clock())
  on conflict on constraint health_report_pkey do update
  set figures = excluded.figures,
      text = excluded.text,
      made_at = excluded.made_at
  returning * into made;
  return made;
end
$$;

comment on function app_private.make_health_report(uuid, date) is
  'Makes the daily report of a hospital for a local day, or makes it again, and returns it.';

revoke execute on function app_private.make_health_report(uuid, date) from public;
grant execute on function app_private.make_health_report(uuid, date) to app_worker;
