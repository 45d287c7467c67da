-- Every hospital's figures for who looks with psql or scrapes them; one call a hospital.
create or replace view checks.key_figures as
select hospital.id as hospital_id, hospital.slug, figure.name, figure.title, figure.value, figure.target, figure.is_at_least,
  figure.is_met, figure.unit, figure.meaning
from app_public.hospital
cross join lateral app_private.measure_health(hospital.id) as figure;

comment on view checks.key_figures is
  'The key figures of the health of each hospital, with their targets; is_met is null where nothing was measured.';
revoke all on checks.key_figures from public;
grant select on checks.key_figures to app_monitor;
