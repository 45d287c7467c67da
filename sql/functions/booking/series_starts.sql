-- The occurrences of a series: the same time on the hospital's wall clock every so many days, so that
-- a visit at nine stays at nine when the clocks change. The first one is the instant itself, also in an
-- hour that the wall clock shows twice. Each comes with the slot that begins then, if there is one.
create or replace function app_private.series_starts(
  hospital_id uuid, doctor_id uuid, first_starts_at timestamptz, every_days integer, occurrence_count integer)
returns setof app_private.wanted_occurrence
language plpgsql stable rows 10
as $$
declare
  zone text;
begin
  select hospital.time_zone into zone from app_public.hospital where hospital.id = series_starts.hospital_id;
  return query
  select wanted.number, wanted.starts_at, (wanted.starts_at at time zone zone)::date, slot.id
  from (
    select step.number,
      case when step.number = 1 then first_starts_at
        else (first_starts_at at time zone zone + make_interval(days => (step.number - 1) * every_days)) at time zone zone
      end as starts_at
    from generate_series(1, occurrence_count) as step (number)
  ) as wanted
  left join app_public.slot
    on slot.hospital_id = series_starts.hospital_id
    and slot.doctor_id = series_starts.doctor_id
    and slot.starts_at = wanted.starts_at
    and slot.withdrawn_at is null
  order by wanted.number;
end
$$;

comment on function app_private.series_starts(uuid, uuid, timestamptz, integer, integer) is
  'The occurrences of a series by number: when each begins, on which local day, and in which slot of the doctor.';

revoke execute on function app_private.series_starts(uuid, uuid, timestamptz, integer, integer) from public;
grant execute on function app_private.series_starts(uuid, uuid, timestamptz, integer, integer)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
