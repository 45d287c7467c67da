-- What the columns of appointment_series demand, said in words before anything is locked.
create or replace function app_private.guard_series(
  first_starts_at timestamptz, every_days integer, occurrence_count integer)
returns void
language plpgsql stable
as $$
declare
  faults jsonb := jsonb_strip_nulls(jsonb_build_object(
    'every_days', case when every_days between 1 and 366 then null else 'is not 1 to 366' end,
    'occurrence_count', case when occurrence_count between 2 and 52 then null else 'is not 2 to 52' end));
begin
  perform app_private.guard_instant('first_starts_at', first_starts_at);
  if faults <> '{}' then
    perform app_private.refuse('invalid_input', faults);
  end if;
end
$$;

comment on function app_private.guard_series(timestamptz, integer, integer) is 'Refuses a series that no calendar can hold.';

revoke execute on function app_private.guard_series(timestamptz, integer, integer) from public;
grant execute on function app_private.guard_series(timestamptz, integer, integer)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
