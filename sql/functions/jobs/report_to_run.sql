-- What a run added for the hospitals reports back to it, so that whoever asked for it learns of the
-- whole. Definer, because no role may write runs.
create or replace function app_private.report_to_run(run_id uuid, is_success boolean, items integer)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  machinery uuid := app_private.machinery();
begin
  update app_public.job_run
  set hospitals_done = job_run.hospitals_done + 1,
      hospitals_failed = job_run.hospitals_failed + case when is_success then 0 else 1 end,
      items_done = job_run.items_done + coalesce(report_to_run.items, 0)
  where job_run.hospital_id = machinery and job_run.id = report_to_run.run_id;
end
$$;

comment on function app_private.report_to_run(uuid, boolean, integer) is
  'Notes in a run of the machinery that the work which it added for a hospital is done.';

revoke execute on function app_private.report_to_run(uuid, boolean, integer) from public;
grant execute on function app_private.report_to_run(uuid, boolean, integer) to app_worker;
