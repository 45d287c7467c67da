-- For who looks with psql: select text from checks.daily_report where slug = '…' order by day desc limit 1.
create or replace view checks.daily_report as
select report.hospital_id, hospital.slug, report.day, report.text, report.figures, report.made_at
from app_public.health_report as report
join app_public.hospital on hospital.id = report.hospital_id;

comment on view checks.daily_report is 'The daily reports of the health of each hospital, in words and in figures.';
revoke all on checks.daily_report from public;
grant select on checks.daily_report to app_monitor;
