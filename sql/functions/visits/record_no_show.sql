-- What follows from a missed visit, and from taking that back: the log, the patient's count, the block at
-- the threshold, the messages, all in the transaction that changes the state, whoever changes it. The
-- patient is locked already. A block that the threshold made goes when the count falls below it; one
-- that somebody decided stays, and a patient who was erased meanwhile is not blocked. Whoever takes it back
-- may have begun before it was marked: the clock is that of the transaction's beginning.
create or replace function app_private.record_no_show() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  tenant app_public.hospital;
  missed app_public.patient;
  reaches boolean;
  was_forgiven boolean;
begin
  select * into tenant from app_public.hospital where hospital.id = new.hospital_id;

  if new.status = 'no_show' then
    update app_public.patient
    set no_show_count = patient.no_show_count + 1
    where patient.hospital_id = new.hospital_id and patient.id = new.patient_id
    returning * into missed;
    reaches := missed.status = 'active' and missed.erased_at is null
      and missed.no_show_count - missed.no_shows_forgiven >= tenant.no_show_block_threshold;
    insert into app_public.no_show_log (
      hospital_id, appointment_id, patient_id, doctor_id, reason, comment, slot_starts_at, timeout_minutes,
      status_before, is_slot_released, is_patient_notified, has_blocked_patient, marked_by, marked_at)
    select new.hospital_id, new.id, new.patient_id, new.doctor_id,
      app_private.no_show_reason(app_private.actor_role()),
      nullif(current_setting('slotkeeper.no_show_comment', true), ''), new.starts_at,
      extract(epoch from doctor.slot_duration)::integer / 60,
      old.status, new.starts_at > instant + tenant.rebook_buffer, true, reaches,
      app_private.claim_account_id(), instant
    from app_public.doctor
    where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id;
    perform app_private.notify_of_appointment('no_show', 'patient', new);
    if reaches then
      update app_public.patient
      set status = 'blocked', blocked_reason = 'Missed appointments'
      where patient.hospital_id = new.hospital_id and patient.id = new.patient_id;
      perform app_private.notify_of_appointment('patient_blocked', 'patient', new);
    end if;
    return null;
  end if;

  update app_public.no_show_log
  set undone_at = greatest(instant, no_show_log.marked_at), undone_by = app_private.claim_account_id(), undo_reason = nullif(current_setting('slotkeeper.undo_reason', true), '')
  where no_show_log.hospital_id = new.hospital_id
    and no_show_log.appointment_id = new.id
    and no_show_log.undone_at is null
  returning no_show_log.is_forgiven into was_forgiven;
  update app_public.patient
  set no_show_count = patient.no_show_count - 1,
      no_shows_forgiven = patient.no_shows_forgiven - was_forgiven::integer
  where patient.hospital_id = new.hospital_id and patient.id = new.patient_id
  returning * into missed;
  if missed.no_show_count - missed.no_shows_forgiven < tenant.no_show_block_threshold
    and exists (
      select from app_public.patient_block
      where patient_block.hospital_id = new.hospital_id
        and patient_block.patient_id = new.patient_id
        and patient_block.unblocked_at is null
        and patient_block.is_automatic)
  then
    update app_public.patient
    set status = 'active'
    where patient.hospital_id = new.hospital_id and patient.id = new.patient_id;
  end if;
  perform app_private.notify_of_appointment('no_show_undone', 'patient', new);
  return null;
end
$$;

comment on function app_private.record_no_show() is
  'Trigger: logs a missed visit, counts it and blocks the patient at the threshold; or takes that back.';

revoke execute on function app_private.record_no_show() from public;

create or replace trigger no_show_is_recorded
  after update of status on app_public.appointment
  for each row when (new.status = 'no_show' and old.status <> 'no_show' or old.status = 'no_show' and new.status <> 'no_show')
  execute function app_private.record_no_show();
