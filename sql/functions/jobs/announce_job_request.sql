-- The relay makes a job of it. Definer, because who asks may not write the outbox.
create or replace function app_private.announce_job_request() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'job', new.id::text, jsonb_build_object('job', new.job, 'run_id', new.id));
  return null;
end
$$;

comment on function app_private.announce_job_request() is
  'Trigger: leaves a message in the outbox for a run that was asked for.';

revoke execute on function app_private.announce_job_request() from public;

create or replace trigger job_request_is_announced
  after insert on app_public.job_run
  for each row when (new.outcome = 'waiting')
  execute function app_private.announce_job_request();
