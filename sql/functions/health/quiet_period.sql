-- The machinery is no hospital that could set one.
create or replace function app_private.quiet_period(hospital_id uuid) returns interval
language plpgsql stable
as $$
begin
  return coalesce(
    (select hospital.health_alert_quiet_period from app_public.hospital where hospital.id = quiet_period.hospital_id),
    interval '1 hour');
end
$$;

comment on function app_private.quiet_period(uuid) is 'How long a hospital is not told of the same alert again.';

revoke execute on function app_private.quiet_period(uuid) from public;
