-- The log: who writes it, who reads it, how long it is kept; and the checks of the machinery itself.
set local role app_owner;


alter table app_public.hospital
  add column log_kept_days integer not null default 90
    constraint the_log_is_kept_a_day_to_ten_years check (log_kept_days between 1 and 3650);
comment on column app_public.hospital.log_kept_days is 'Days for which the log of what happened is kept.';

-- What people look for is rare among what is written, and found without reading that; entries of plain
-- success cost none of these indexes anything.
create index log_of_trouble on app_public.log_entry (hospital_id, logged_at, id) where level >= 'warning';
create index log_by_kind on app_public.log_entry (hospital_id, kind, logged_at, id) where kind <> 'operation';

-- Of a kind that it does not know (a parameter of a prepared statement) the planner assumes the average, which
-- is that of operations; those who ask for a kind ask for one of the others.
alter table app_public.log_entry alter column kind set (n_distinct = 1000000);

create table app_private.process_heartbeat (
  process_id text primary key,
  kind text not null constraint a_process_is_a_server_or_a_worker check (kind in ('server', 'worker')),
  environment text not null,
  started_at timestamptz not null,
  beaten_at timestamptz not null,
  drift_ms integer,
  uncertainty_ms integer constraint the_uncertainty_of_a_drift_is_not_negative check (uncertainty_ms >= 0),
  constraint a_drift_is_known_with_its_uncertainty check ((drift_ms is null) = (uncertainty_ms is null))
);
comment on table app_private.process_heartbeat is
  'The servers and workers that live, or lived within the last week, and how far their clocks are from that of the database.';
comment on column app_private.process_heartbeat.process_id is 'Names the process.';
comment on column app_private.process_heartbeat.kind is 'Whether it is a server or a worker.';
comment on column app_private.process_heartbeat.environment is 'The environment that it runs in: production, development or test.';
comment on column app_private.process_heartbeat.started_at is 'When it beat first.';
comment on column app_private.process_heartbeat.beaten_at is 'When it beat last.';
comment on column app_private.process_heartbeat.drift_ms is
  'Milliseconds by which its clock is ahead of the database''s; negative: behind. Null until it has compared them.';
comment on column app_private.process_heartbeat.uncertainty_ms is 'Milliseconds by which the drift may be wrong: half of the time that the answer took.';

reset role;
