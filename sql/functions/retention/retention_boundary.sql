-- The instant at which the first kept year begins: 1 January, 00:00 on the hospital's own wall clock,
-- of this local year less the years that stay. What started before it is of a past year; a year that
-- is a day longer or a zone off by hours changes nothing, because no length of a year is reckoned with.
create or replace function app_private.retention_boundary(hospital_id uuid) returns timestamptz
language plpgsql stable
as $$
declare
  boundary timestamptz;
begin
  select make_timestamp(
    extract(year from app_private.clock() at time zone hospital.time_zone)::integer - hospital.kept_years,
    1, 1, 0, 0, 0) at time zone hospital.time_zone
  into boundary
  from app_public.hospital
  where hospital.id = retention_boundary.hospital_id;
  return boundary;
end
$$;

comment on function app_private.retention_boundary(uuid) is
  'Start of the first year that a hospital keeps among the current ones; what began earlier may be archived.';

revoke execute on function app_private.retention_boundary(uuid) from public;
