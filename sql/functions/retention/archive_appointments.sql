-- Moves ended appointments of past years to the archive, one batch a call: whoever calls again goes on,
-- and a call that dies has done nothing. It reads, doctor by doctor, the stretch of the index that lies
-- before the first kept year, which the archive itself keeps nearly empty; so a night with nothing due
-- costs one look a doctor, whatever is stored. Rows that somebody has locked are left to the next call:
-- it waits for no appointment and takes no lock on patients' or slots' counts, so no booking waits for
-- it. An appointment of a past year that never ended is not touched.
-- The row in the archive explains the one that left; the log gets one entry a batch (record_batch)
-- and not each row's data once more. Moves, alerts, the number within a series and the offer of the waitlist
-- go along; consultations stay where nobody reads them without a trace; seats are held no more, and messages of the inbox go. An idempotency key is forgotten with
-- its appointment: its slot lies in the past by then, so that a very late repetition is refused and
-- never books again.
-- Definer, because nobody may delete an appointment or write the archive.
create or replace function app_private.archive_appointments(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  boundary timestamptz := app_private.retention_boundary(hospital_id);
  instant timestamptz := app_private.clock();
  due uuid[];
begin
  select array_agg(ended.id) into due
  from (
    select of_doctor.id
    from app_public.doctor
    cross join lateral (
      select appointment.id
      from app_public.appointment
      where appointment.hospital_id = archive_appointments.hospital_id
        and appointment.doctor_id = doctor.id
        and appointment.starts_at < boundary
        and appointment.status in ('completed', 'cancelled', 'no_show', 'expired')
      order by appointment.starts_at
      limit most
      for update skip locked
    ) as of_doctor
    where doctor.hospital_id = archive_appointments.hospital_id
    limit most
  ) as ended;
  if due is null then
    return 0;
  end if;

  insert into app_public.appointment_archive (
    hospital_id, id, slot_id, doctor_id, patient_id, location_id, service_id, series_id, occurrence_number,
    starts_at, ends_at, status, source, reason, notes, checked_in_at, vitals_recorded_at, completed_at,
    cancelled_at, cancelled_by, cancellation_reason, cancellation_cause, rescheduled_from,
    created_by, created_at, updated_at, moves, waitlist_offer, stage_alerts, archived_at)
  select
    appointment.hospital_id, appointment.id, appointment.slot_id, appointment.doctor_id, appointment.patient_id,
    appointment.location_id, appointment.service_id, appointment.series_id,
    (select min(occurrence.number)
     from app_public.series_occurrence as occurrence
     where occurrence.hospital_id = archive_appointments.hospital_id
       and occurrence.appointment_id = appointment.id),
    appointment.starts_at, appointment.ends_at, appointment.status, appointment.source, appointment.reason,
    appointment.notes, appointment.checked_in_at, appointment.vitals_recorded_at, appointment.completed_at,
    appointment.cancelled_at, appointment.cancelled_by, appointment.cancellation_reason,
    appointment.cancellation_cause, appointment.rescheduled_from,
    appointment.created_by, appointment.created_at, appointment.updated_at,
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'id', move.id, 'doctor_id', move.doctor_id,
        'from_slot_id', move.from_slot_id, 'from_starts_at', from_slot.starts_at,
        'to_slot_id', move.to_slot_id, 'to_starts_at', to_slot.starts_at,
        'reason', move.reason, 'moved_by', move.moved_by, 'moved_at', move.moved_at)
        order by move.moved_at, move.id)
      from app_public.appointment_move as move
      join app_public.slot as from_slot
        on from_slot.hospital_id = archive_appointments.hospital_id and from_slot.id = move.from_slot_id
      join app_public.slot as to_slot
        on to_slot.hospital_id = archive_appointments.hospital_id and to_slot.id = move.to_slot_id
      where move.hospital_id = archive_appointments.hospital_id and move.appointment_id = appointment.id), '[]'),
    (select jsonb_build_object(
       'id', offer.id, 'entry_id', offer.entry_id, 'slot_id', offer.slot_id, 'outcome', offer.outcome,
       'offered_at', offer.offered_at, 'decided_at', offer.decided_at)
     from app_public.waitlist_offer as offer
     where offer.hospital_id = archive_appointments.hospital_id and offer.appointment_id = appointment.id),
    coalesce((
      select jsonb_agg(to_jsonb(alert) - array['hospital_id', 'appointment_id', 'patient_id', 'doctor_id']
        order by alert.raised_at, alert.id)
      from app_public.stage_alert as alert
      where alert.hospital_id = archive_appointments.hospital_id and alert.appointment_id = appointment.id), '[]'),
    instant
  from app_public.appointment
  where appointment.hospital_id = archive_appointments.hospital_id and appointment.id = any (due);

  perform set_config('slotkeeper.housekeeping', 'on', true);
  delete from app_public.appointment
  where appointment.hospital_id = archive_appointments.hospital_id and appointment.id = any (due);
  perform set_config('slotkeeper.housekeeping', '', true);

  perform app_private.record_batch(hospital_id, 'appointment_archive', 'insert',
    jsonb_build_object('archived_count', cardinality(due), 'archived_at', instant, 'starting_before', boundary));
  return cardinality(due);
end
$$;

comment on function app_private.archive_appointments(uuid, integer) is
  'Moves ended appointments of a hospital''s past years to the archive, at most so many, and returns how many.';

revoke execute on function app_private.archive_appointments(uuid, integer) from public;
grant execute on function app_private.archive_appointments(uuid, integer) to app_worker;
