create or replace function app_public.cron_health()
returns setof app_public.job_health
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return query select * from app_private.job_health(app_private.machinery());
  return query select * from app_private.job_health(hospital);
end
$$;

comment on function app_public.cron_health() is
  'How the background jobs do: first those by the clock, which serve all hospitals, then those of your hospital.';

revoke execute on function app_public.cron_health() from public;
grant execute on function app_public.cron_health() to app_admin;
