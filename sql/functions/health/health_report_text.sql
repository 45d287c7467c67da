-- The same report for people, in lines that stand under each other in a mail and in psql. It says what the
-- figures say and asks no table.
create or replace function app_private.health_report_text(figures jsonb) returns text
language plpgsql immutable
as $$
declare
  found jsonb := figures -> 'inconsistencies';
  trend jsonb := figures -> 'trend';
  open_actions jsonb := figures -> 'open_actions';
  lines text[];
  part record;
  detail record;
begin
  lines := array[
    format('Health of %s on %s (%s)', figures ->> 'hospital', figures ->> 'day', figures ->> 'time_zone'),
    '',
    'Totals',
    format('  %s%s%s', rpad('Appointments', 20), lpad(figures #>> '{totals,appointments}', 8), coalesce('   ' || (
      select string_agg(format('%s %s', state.value, replace(state.key, '_', ' ')), ', ' order by state.value::text::integer desc, state.key)
      from jsonb_each(figures #> '{totals,by_status}') as state), '')),
    format('  %s%s   %s seats, %s taken', rpad('Slots', 20), lpad(figures #>> '{totals,slots}', 8),
      figures #>> '{totals,seats}', figures #>> '{totals,seats_taken}'),
    format('  %s%s', rpad('Bookings made', 20), lpad(figures #>> '{totals,bookings_made}', 8)),
    format('  %s%s', rpad('Cancellations', 20), lpad(figures #>> '{totals,cancellations}', 8)),
    format('  %s%s', rpad('Verified', 20), lpad(coalesce(figures #>> '{totals,verified}', 'none'), 8)),
    '',
    'Inconsistencies',
    format('  %s%s   %s critical, %s warning, %s info', rpad('Found', 20), lpad(found ->> 'found', 8),
      found ->> 'critical', found ->> 'warning', found ->> 'info'),
    format('  %s%s   of %s appointments and slots', rpad('Rate', 20), lpad(coalesce((found ->> 'rate') || ' %', 'none'), 8),
      found ->> 'looked_at'),
    format('  %s%s', rpad('Gone again', 20), lpad(found ->> 'resolved', 8)),
    format('  %s%s', rpad('Trend', 20), case trend ->> 'direction'
      when 'unknown' then 'no report of the week before'
      else format('%s: %s a day in the week before%s', trend ->> 'direction', trend ->> 'mean_found',
        coalesce(format(' (%s %%)', trend ->> 'change_percent'), '')) end),
    ''];

  if figures -> 'checks' = '[]' then
    lines := lines || 'No check found anything, and nothing is open.'::text || ''::text;
  else
    lines := lines || format('%s%s%s%s%s', rpad('By check', 42), rpad('severity', 10), lpad('found', 7), lpad('gone', 7), lpad('open', 7));
    for part in select entry.value as entry from jsonb_array_elements(figures -> 'checks') as entry loop
      lines := lines || format('  %s%s%s%s%s', rpad(part.entry ->> 'check', 40), rpad(part.entry ->> 'severity', 10),
        lpad(part.entry ->> 'found', 7), lpad(part.entry ->> 'resolved', 7), lpad(part.entry ->> 'open', 7));
    end loop;
    lines := lines || ''::text || 'Top issues'::text;
    for part in select entry.value as entry, entry.ordinality as number
      from jsonb_array_elements(figures -> 'top_issues') with ordinality as entry
    loop
      lines := lines || format('  %s. %s (%s): %s found, %s open', part.number, part.entry ->> 'title',
        part.entry ->> 'severity', part.entry ->> 'found', part.entry ->> 'open');
      lines := lines || format('     last action: %s, %s', part.entry ->> 'last_action', part.entry ->> 'last_action_at');
      for detail in select entry.value as entry from jsonb_array_elements(part.entry -> 'cases') as entry loop
        lines := lines || format('     - %s [%s] %s', detail.entry ->> 'detail', detail.entry ->> 'state',
          concat_ws(' ', detail.entry ->> 'entity_type', detail.entry ->> 'entity_id'));
      end loop;
    end loop;
    lines := lines || ''::text;
  end if;

  lines := lines || array[
    format('%s%s', rpad('Recovery', 22), case when figures #>> '{recovery,rate}' is null then 'nothing to repair'
      else format('%s %%, %s of %s that a machine may repair', figures #>> '{recovery,rate}',
        figures #>> '{recovery,auto_corrected}', figures #>> '{recovery,repairable}') end),
    format('%s%s', rpad('Detection', 22), case when figures #>> '{detection,mean_seconds}' is null then 'nothing to measure'
      else format('%s s after the change, mean of %s', figures #>> '{detection,mean_seconds}', figures #>> '{detection,measured}') end),
    format('%sreviews: %s%s, alerts: %s', rpad('Open actions', 22), open_actions ->> 'reviews', coalesce((
      select format(' (%s)', string_agg(format('priority %s: %s', level.key, level.value), ', ' order by level.key))
      from jsonb_each(open_actions -> 'reviews_by_priority') as level
      having count(*) > 0), ''), open_actions ->> 'alerts')];
  return array_to_string(lines, E'\n');
end
$$;

comment on function app_private.health_report_text(jsonb) is 'A daily report in words.';

revoke execute on function app_private.health_report_text(jsonb) from public;
