-- Only what lives is judged, and only by more than the comparison itself may be wrong. A clock that is moved
-- on purpose is right wherever a day is rehearsed; where a server of production runs it was forgotten.
create or replace view checks.clock_drift as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id, broken.detail, broken.metadata, concat_ws(':', entry.name, broken.what) as cache_key
from (
  select process.process_id as what,
    format('The clock of the %s %s is %s s %s that of the database.',
      process.kind, process.process_id, round(abs(process.drift_ms) / 1000.0, 1),
      case when process.drift_ms > 0 then 'ahead of' else 'behind' end) as detail,
    jsonb_build_object('process_id', process.process_id, 'kind', process.kind, 'drift_ms', process.drift_ms,
      'uncertainty_ms', process.uncertainty_ms, 'beaten_at', process.beaten_at) as metadata
  from app_private.process_heartbeat as process
  where process.beaten_at > now() - interval '60 seconds'
    and abs(process.drift_ms) - process.uncertainty_ms > 2000
  union all
  select 'shift', format('The clock of the system is moved by %s while a server of production runs.', moved.shift),
    jsonb_build_object('shift', moved.shift)
  from app_private.clock_shift as moved
  where moved.shift <> interval '0'
    and exists (
      select from app_private.process_heartbeat as process
      where process.kind = 'server' and process.environment = 'production'
        and process.beaten_at > now() - interval '60 seconds')) as broken
join app_public.health_check as entry on entry.name = 'clock_drift';

comment on view checks.clock_drift is
  'Servers and workers whose clock is more than two seconds away from the database''s, and a moved clock where a server of production runs.';
revoke all on checks.clock_drift from public;
grant select on checks.clock_drift to app_monitor;

select app_private.declare_check(
  name => 'clock_drift', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'A clock is wrong',
  meaning => 'The clock of a server or worker is more than two seconds away from the database''s, or the clock of the system is still moved as for a rehearsal.',
  importance => 'Access tokens are judged by the clock of the server: they expire too early or too late. A moved clock makes every rule judge by a wrong day: reminders, no-shows and deadlines come at the wrong time.',
  resolution => 'Let the machine synchronise its time (NTP) and look at its drift here again. A clock that was moved on purpose is put back by: delete from app_private.clock_shift.',
  remedy => 'operator');
