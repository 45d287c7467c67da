-- A sign of life of a server or worker, with what it found when it compared its clock last. It answers with
-- the time of the database at this very moment, to be compared next. By the time that really passes, not by
-- clock(): a rehearsed day must not make the living look dead. Those that have been silent for a week are
-- forgotten. Definer, so that this is all that the roles of processes can do to the table.
create or replace function app_private.beat_process(
  process_id text, kind text, environment text, drift_ms integer default null, uncertainty_ms integer default null)
returns timestamptz
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  insert into app_private.process_heartbeat (
    process_id, kind, environment, started_at, beaten_at, drift_ms, uncertainty_ms)
  values (
    beat_process.process_id, beat_process.kind, beat_process.environment, now(), now(), beat_process.drift_ms,
    beat_process.uncertainty_ms)
  on conflict on constraint process_heartbeat_pkey do update
  set beaten_at = excluded.beaten_at,
      drift_ms = excluded.drift_ms,
      uncertainty_ms = excluded.uncertainty_ms;
  delete from app_private.process_heartbeat
  where process_heartbeat.beaten_at < now() - interval '7 days';
  return clock_timestamp();
end
$$;

comment on function app_private.beat_process(text, text, text, integer, integer) is
  'Notes that a server or worker lives, and by how many milliseconds its clock is ahead; returns the time of the database.';

revoke execute on function app_private.beat_process(text, text, text, integer, integer) from public;
grant execute on function app_private.beat_process(text, text, text, integer, integer) to app_login, app_worker;
