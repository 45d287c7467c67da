create or replace function app_public.key_figures()
returns setof app_public.key_figure
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return query select * from app_private.measure_health(hospital);
end
$$;

comment on function app_public.key_figures() is
  'The figures by which the health of your hospital is judged, with their targets. For admins.';

revoke execute on function app_public.key_figures() from public;
grant execute on function app_public.key_figures() to app_admin;
