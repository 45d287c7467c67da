-- Takes a person out of everything that is stored about them and leaves what can be counted: who was
-- seen when by which doctor, how it ended. Appointments are locked before the patient, as everywhere;
-- the patient then FOR UPDATE, so that nothing that refers to them is being written at this moment and
-- whoever comes next finds them inactive. Upcoming appointments stand in the way: somebody has to
-- cancel them first and tell the people concerned. What erasing itself adds to the log (the old values
-- of every changed row) is redacted with the rest, in the same transaction; what stays of it is who
-- erased whom, when, and which columns changed. The second time it changes nothing, or finishes what
-- came up since.
-- Definer, because nobody may write most of this; the log and the archive are redacted by a role of
-- their own (redact_history), for the hospital of the request only.
create or replace function app_private.erase_person(hospital_id uuid, patient_id uuid, reason text)
returns app_public.patient
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  person app_public.patient;
  upcoming integer;
  visits uuid[];
  records uuid[];
begin
  if hospital_id is distinct from app_private.request_hospital_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.appointment
  where appointment.hospital_id = erase_person.hospital_id and appointment.patient_id = erase_person.patient_id
  order by appointment.id
  for no key update;
  select * into person
  from app_public.patient
  where patient.hospital_id = erase_person.hospital_id and patient.id = erase_person.patient_id
  for update;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;

  select array_agg(appointment.id), count(*) filter (where
    appointment.holds_seat and appointment.ends_at > instant
    or appointment.status = 'requested' and appointment.starts_at > instant)
  into visits, upcoming
  from app_public.appointment
  where appointment.hospital_id = erase_person.hospital_id and appointment.patient_id = erase_person.patient_id;
  if upcoming > 0 then
    perform app_private.refuse('patient_has_appointments',
      jsonb_build_object('patient_id', patient_id, 'appointment_count', upcoming));
  end if;

  update app_public.patient
  set name = 'Erased patient', medical_record_number = 'erased-' || patient.id::text,
      phone = null, email = null, date_of_birth = null,
      status = 'active', blocked_at = null, blocked_reason = null, is_active = false,
      erased_at = instant, erasure_reason = erase_person.reason
  where patient.hospital_id = erase_person.hospital_id and patient.id = erase_person.patient_id
    and patient.erased_at is null;

  update app_public.account
  set email = 'erased-' || account.id::text || '@erased.invalid', display_name = 'Erased patient', is_active = false
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and account.display_name <> 'Erased patient';
  delete from app_private.account_secret
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and account_secret.hospital_id = erase_person.hospital_id and account_secret.account_id = account.id;
  delete from app_public.calendar_feed
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and calendar_feed.hospital_id = erase_person.hospital_id and calendar_feed.account_id = account.id;

  update app_public.appointment
  set reason = null, notes = null, cancellation_reason = null
  where appointment.hospital_id = erase_person.hospital_id and appointment.patient_id = erase_person.patient_id
    and num_nonnulls(appointment.reason, appointment.notes, appointment.cancellation_reason) > 0;
  update app_public.appointment_move
  set reason = null
  where appointment_move.hospital_id = erase_person.hospital_id and appointment_move.appointment_id = any (visits)
    and appointment_move.reason is not null;
  update app_public.appointment_series
  set reason = null
  where appointment_series.hospital_id = erase_person.hospital_id
    and appointment_series.patient_id = erase_person.patient_id and appointment_series.reason is not null;
  update app_public.waitlist_entry
  set reason = null,
      status = case when waitlist_entry.ended_at is null then 'cancelled' else waitlist_entry.status end,
      ended_at = coalesce(waitlist_entry.ended_at, instant)
  where waitlist_entry.hospital_id = erase_person.hospital_id and waitlist_entry.patient_id = erase_person.patient_id
    and (waitlist_entry.reason is not null or waitlist_entry.ended_at is null);

  -- The person's own messages, and those that name them to a doctor or to the staff.
  delete from app_public.notification
  where notification.hospital_id = erase_person.hospital_id and notification.patient_id = erase_person.patient_id;
  delete from app_public.notification
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and notification.hospital_id = erase_person.hospital_id and notification.account_id = account.id;
  delete from app_public.notification
  where notification.hospital_id = erase_person.hospital_id and notification.appointment_id = any (visits);

  select array_agg(record.id) into records
  from (
    select patient_id as id
    union all
    select unnest(visits)
    union all
    select account.id from app_public.account
    where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    union all
    select appointment_move.id from app_public.appointment_move
    where appointment_move.hospital_id = erase_person.hospital_id and appointment_move.appointment_id = any (visits)
    union all
    select appointment_series.id from app_public.appointment_series
    where appointment_series.hospital_id = erase_person.hospital_id
      and appointment_series.patient_id = erase_person.patient_id
    union all
    select waitlist_entry.id from app_public.waitlist_entry
    where waitlist_entry.hospital_id = erase_person.hospital_id and waitlist_entry.patient_id = erase_person.patient_id
    union all
    select archived.id from app_public.appointment_archive as archived
    where archived.hospital_id = erase_person.hospital_id and archived.patient_id = erase_person.patient_id
    union all
    select (move ->> 'id')::uuid
    from app_public.appointment_archive as archived cross join jsonb_array_elements(archived.moves) as move
    where archived.hospital_id = erase_person.hospital_id and archived.patient_id = erase_person.patient_id
  ) as record;
  perform app_private.redact_history(hospital_id, patient_id, records);

  select * into person
  from app_public.patient
  where patient.hospital_id = erase_person.hospital_id and patient.id = erase_person.patient_id;
  return person;
end
$$;

comment on function app_private.erase_person(uuid, uuid, text) is
  'Erases a person of the request''s hospital everywhere, the log and the archive included; returns the patient as nobody.';

revoke execute on function app_private.erase_person(uuid, uuid, text) from public;
grant execute on function app_private.erase_person(uuid, uuid, text) to app_admin;
