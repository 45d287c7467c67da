-- One batch of what servers and workers have seen, one statement. It takes facts, no words: the message is
-- made here, a name that is not one is not kept, and kinds that tell of health are not theirs to write; so
-- nothing that a client said can come into the log this way. Each entry says how long ago it happened, so
-- that the clock of the system dates it and no clock of a process does. A hospital that is known by its
-- short name only is looked up; what belongs to none is the machinery's. Definer, because no role may
-- write the log.
create or replace function app_private.write_log(entries jsonb)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  nobody uuid := app_private.machinery();
  written integer;
begin
  insert into app_public.log_entry (
    hospital_id, kind, level, name, outcome, code, scenario, duration_ms, request_id, actor_account_id, actor_role,
    entity_type, entity_id, message, details, logged_at)
  select
    coalesce(entry.hospital_id, hospital.id, nobody), entry.kind, entry.level, named.name, entry.outcome,
    left(entry.code, 50), left(entry.scenario, 100), entry.duration_ms, left(entry.request_id, 100),
    entry.actor_account_id, entry.actor_role, entry.entity_type, entry.entity_id,
    case
      when entry.name = 'log_dropped' then format('%s entries of the log were not kept.', entry.details ->> 'count')
      when entry.details ? 'count' then format('%s %s %s times.', named.name, entry.outcome, entry.details ->> 'count')
      when entry.outcome = 'refused' then format('%s was refused: %s.', named.name, coalesce(left(entry.scenario, 100), 'by a rule'))
      when entry.outcome = 'failed' then format('%s failed: %s.', named.name, coalesce(left(entry.scenario, 100), 'unexpectedly'))
      when entry.outcome = 'noted' then format('%s: nobody waited for the answer.', named.name)
      else format('%s succeeded.', named.name)
    end,
    coalesce(entry.details, '{}'), instant - make_interval(secs => coalesce(entry.age_ms, 0) / 1000.0)
  from jsonb_to_recordset(entries) as entry (
    hospital_id uuid, hospital_slug text, kind app_public.log_kind, level app_public.log_level, name text, outcome text,
    code text, scenario text, duration_ms integer, request_id text, actor_account_id uuid, actor_role text,
    entity_type text, entity_id uuid, details jsonb, age_ms double precision)
  cross join lateral (
    select case when entry.name ~ '^[A-Za-z0-9_.]{1,100}$' then entry.name else 'unknown' end as name) as named
  left join app_public.hospital on entry.hospital_id is null and hospital.slug = entry.hospital_slug
  where entry.kind in ('operation', 'login', 'webhook', 'job', 'security', 'sync')
  order by entry.age_ms desc;
  get diagnostics written = row_count;
  return written;
end
$$;

comment on function app_private.write_log(jsonb) is
  'Writes a batch of entries about operations, logins, webhooks and jobs to the log; returns how many.';

revoke execute on function app_private.write_log(jsonb) from public;
grant execute on function app_private.write_log(jsonb) to app_login, app_worker;
