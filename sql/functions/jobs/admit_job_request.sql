-- Who asks for a run waits for a worker like every other: a row that waits, judged here whoever inserts
-- it. Requests of one job in one hospital come in turn, so that of two only one finds nothing running.
-- What gives no sign of life any more is settled first and stands in nobody's way. Definer, because runs
-- of the machinery are seen by nobody.
create or replace function app_private.admit_job_request() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  other record;
  asked timestamptz;
begin
  if new.started_by = 'manual' then
    perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  end if;
  if not exists (
    select from app_public.job as entry
    where entry.name = new.job
      and case new.started_by when 'manual' then entry.is_manual when 'external' then entry.is_external end
      and entry.is_of_hospital = (new.hospital_id <> app_private.machinery()))
  then
    perform app_private.refuse('job_not_found', jsonb_build_object('job', new.job));
  end if;

  perform pg_advisory_xact_lock(hashtextextended(concat('job request', new.job, new.hospital_id), 0));
  for other in
    select job_run.id
    from app_public.job_run
    where job_run.hospital_id = new.hospital_id and job_run.job = new.job
      and job_run.outcome in ('waiting', 'running')
  loop
    if not app_private.settle_stuck_run(new.hospital_id, other.id) then
      perform app_private.refuse('job_already_running',
        jsonb_build_object('job', new.job, 'job_run_id', other.id));
    end if;
  end loop;

  if new.started_by = 'manual' then
    select max(job_run.created_at) into asked
    from app_public.job_run
    where job_run.hospital_id = new.hospital_id and job_run.job = new.job and job_run.started_by = 'manual'
      and job_run.created_at > now() - interval '1 minute';
    if asked is not null then
      perform app_private.refuse('job_requested_too_often',
        jsonb_build_object('job', new.job, 'again_at', asked + interval '1 minute'));
    end if;
  end if;

  new.requested_by := app_private.claim_account_id();
  return new;
end
$$;

comment on function app_private.admit_job_request() is
  'Trigger: judges who asks for a run: a known job, none running, not too often.';

revoke execute on function app_private.admit_job_request() from public;

create or replace trigger job_request_is_admitted
  before insert on app_public.job_run
  for each row when (new.outcome = 'waiting')
  execute function app_private.admit_job_request();
