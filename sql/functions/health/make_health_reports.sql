-- The day that ended last is always made anew, so that asking again is how it is remade; of the six before
-- it those that are missing, because no worker ran in their nights. Not before the hospital was there.
create or replace function app_private.make_health_reports(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  tenant app_public.hospital;
  yesterday date;
  each date;
  made integer := 0;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select * into tenant from app_public.hospital where hospital.id = make_health_reports.hospital_id;
  yesterday := (app_private.clock() at time zone tenant.time_zone)::date - 1;
  for each in
    select wanted.day::date
    from generate_series(
      greatest(yesterday - 6, (tenant.created_at at time zone tenant.time_zone)::date), yesterday, interval '1 day') as wanted (day)
    where wanted.day::date = yesterday or not exists (
      select from app_public.health_report as report
      where report.hospital_id = make_health_reports.hospital_id and report.day = wanted.day::date)
    order by wanted.day
  loop
    perform app_private.make_health_report(hospital_id, each);
    made := made + 1;
  end loop;
  return made;
end
$$;

comment on function app_private.make_health_reports(uuid) is
  'Makes the daily report of the day that ended last in a hospital, and those of the week before that are missing; returns how many.';

revoke execute on function app_private.make_health_reports(uuid) from public;
grant execute on function app_private.make_health_reports(uuid) to app_worker;
