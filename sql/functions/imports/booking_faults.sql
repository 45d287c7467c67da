-- Booking rules speak of a slot and a patient; in a file they are cells of a row. A visit that stands in
-- the way because an earlier row brought it is named by that row.
create or replace function app_private.booking_faults(
  hospital_id uuid, run_id uuid, row_number integer, fields jsonb, verdicts app_public.booking_verdict[])
returns app_public.import_fault[]
language plpgsql stable
as $$
begin
  return array(
    select app_private.import_fault(
      booking_faults.row_number, booking_faults.fields,
      case
        when verdict.scenario ~ '^patient_' then 'medical_record_number'
        when verdict.scenario ~ '^doctor_(not_found|unavailable|inactive)$' then 'staff_number'
        when verdict.scenario = 'service_not_found' then 'service'
        else 'starts_at'
      end,
      verdict.scenario,
      case
        when verdict.scenario = 'slot_not_found' then 'No slot of the doctor begins at this time.'
        when imported_row.row_number is not null then
          format('Row %s brings the patient an appointment at this time already.', imported_row.row_number)
        when verdict.scenario = 'hospital_holiday' and verdict.details ? 'holiday' then
          format('The hospital is closed on this day: %s.', verdict.details ->> 'holiday')
        when verdict.scenario = 'beyond_booking_horizon' then
          format('The day is too far ahead; the last one that can be booked is %s.', verdict.details ->> 'last_day')
      end)
    from unnest(verdicts) with ordinality as verdict (rule, scenario, is_satisfied, details, position)
    left join app_public.imported_row
      on imported_row.hospital_id = booking_faults.hospital_id
      and imported_row.run_id = booking_faults.run_id
      and imported_row.record_id = (verdict.details ->> 'appointment_id')::uuid
    order by verdict.position);
end
$$;

comment on function app_private.booking_faults(uuid, uuid, integer, jsonb, app_public.booking_verdict[]) is
  'The broken booking rules of a row of an import, as faults of its cells.';

revoke execute on function app_private.booking_faults(uuid, uuid, integer, jsonb, app_public.booking_verdict[]) from public;
grant execute on function app_private.booking_faults(uuid, uuid, integer, jsonb, app_public.booking_verdict[]) to app_admin;
