-- Reads under the caller's own rights; the day that ended last unless another is named.
create or replace function app_public.health_report_of_day(day date default null)
returns app_public.health_report
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  report app_public.health_report;
begin
  select * into report
  from app_public.health_report as made
  where made.hospital_id = hospital and made.day = coalesce(health_report_of_day.day, made.day)
  order by made.day desc
  limit 1;
  return report;
end
$$;

comment on function app_public.health_report_of_day(date) is
  'The report of the hospital''s health for a local day, or the last one; null when there is none. For admins.';

revoke execute on function app_public.health_report_of_day(date) from public;
grant execute on function app_public.health_report_of_day(date) to app_admin;
