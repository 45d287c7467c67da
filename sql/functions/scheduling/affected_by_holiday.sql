-- The appointments on the days of a holiday, soonest first. Nobody in the hospital could take them then,
-- so no alternatives are looked for.
create or replace function app_private.affected_by_holiday(hospital_id uuid, date date, is_recurring boolean)
returns app_public.affected_appointment[]
language plpgsql stable
as $$
begin
  return array(
    select visit
    from app_private.days_of_holiday(
      affected_by_holiday.hospital_id, affected_by_holiday.date, affected_by_holiday.is_recurring) as holiday
    cross join lateral app_private.find_affected(
      affected_by_holiday.hospital_id, null, holiday.during, with_alternatives => false) as visit
    order by visit.starts_at, visit.appointment_id);
end
$$;

comment on function app_private.affected_by_holiday(uuid, date, boolean) is 'Appointments and open requests on the days of a holiday.';

revoke execute on function app_private.affected_by_holiday(uuid, date, boolean) from public;
grant execute on function app_private.affected_by_holiday(uuid, date, boolean) to app_receptionist, app_admin;
