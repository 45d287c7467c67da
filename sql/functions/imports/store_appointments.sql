-- Row by row through the wall of the table. The judge is asked before, so that a row that cannot be booked
-- is told with every broken rule and the next one goes on without a savepoint: everything is locked
-- already, so the wall says what the judge has said. A row without a slot is judged as a request for its
-- doctor and time, because that tells a holiday from a time at which nothing begins.
-- The plans of this transaction are made while tables are empty that are full at its end: without
-- sequential scans they stay right.
create or replace function app_private.store_appointments(hospital_id uuid, run_id uuid, first_row integer, last_row integer)
returns void
language plpgsql volatile
set enable_seqscan = off
as $$
declare
  wish record;
  verdicts app_public.booking_verdict[];
  booked uuid;
begin
  for wish in
    select import_row.row_number, import_row.fields,
      (import_row.found ->> 'slot_id')::uuid as slot_id,
      (import_row.found ->> 'patient_id')::uuid as patient_id,
      (import_row.found ->> 'doctor_id')::uuid as doctor_id,
      (import_row.found ->> 'service_id')::uuid as service_id,
      (import_row.found ->> 'starts_at')::timestamptz as starts_at
    from app_private.import_row
    where import_row.hospital_id = store_appointments.hospital_id and import_row.run_id = store_appointments.run_id
      and import_row.row_number between first_row and last_row
      and import_row.faults = '{}'
    order by import_row.row_number
  loop
    if wish.slot_id is not null then
      verdicts := array(
        select verdict
        from app_private.judge_booking(
          store_appointments.hospital_id, wish.slot_id, wish.patient_id, wish.service_id, only_broken => true) as verdict);
    else
      verdicts := array(
        select verdict
        from app_private.judge_booking(
          store_appointments.hospital_id, null, wish.patient_id, wish.service_id,
          tstzrange(wish.starts_at, wish.starts_at + interval '5 minutes'), only_broken => true,
          doctor_id => wish.doctor_id) as verdict);
      if not exists (
        select from unnest(verdicts) as verdict
        where verdict.scenario in ('slot_in_past', 'beyond_booking_horizon', 'hospital_holiday', 'doctor_absent'))
      then
        verdicts := verdicts || row(0, 'slot_not_found', false, null)::app_public.booking_verdict;
      end if;
    end if;

    if cardinality(verdicts) = 0 then
      insert into app_public.appointment (hospital_id, slot_id, patient_id, service_id, reason, status, source)
      values (store_appointments.hospital_id, wish.slot_id, wish.patient_id, wish.service_id, wish.fields ->> 'reason',
        'scheduled', 'import')
      returning appointment.id into booked;
      insert into app_public.imported_row (hospital_id, run_id, row_number, record_id, external_id)
      values (store_appointments.hospital_id, store_appointments.run_id, wish.row_number, booked, wish.fields ->> 'external_id');
    else
      update app_private.import_row
      set faults = app_private.booking_faults(
        store_appointments.hospital_id, store_appointments.run_id, wish.row_number, wish.fields, verdicts)
      where import_row.hospital_id = store_appointments.hospital_id and import_row.run_id = store_appointments.run_id
        and import_row.row_number = wish.row_number;
    end if;
  end loop;
end
$$;

comment on function app_private.store_appointments(uuid, uuid, integer, integer) is
  'Books some of the appointments of an import, and notes what stands in the way of the others.';

revoke execute on function app_private.store_appointments(uuid, uuid, integer, integer) from public;
grant execute on function app_private.store_appointments(uuid, uuid, integer, integer) to app_admin;
