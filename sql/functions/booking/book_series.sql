-- Locks in the usual order, all before the first insert: the calendar (days that have to be made real),
-- the key, the patient, every slot by id, every day. What is locked is what is booked: slots are looked up
-- once. All or nothing leaves nothing behind, because the refusal takes everything back.
create or replace function app_public.book_series(
  doctor_id uuid,
  first_starts_at timestamptz,
  every_days integer,
  occurrence_count integer,
  patient_id uuid,
  idempotency_key uuid,
  is_all_or_nothing boolean default true,
  service_id uuid default null,
  reason text default null)
returns app_public.appointment_series
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  is_strict boolean := coalesce(is_all_or_nothing, true);
  fingerprint text := app_private.request_fingerprint(
    'series', doctor_id::text, extract(epoch from first_starts_at)::text, every_days::text, occurrence_count::text,
    patient_id::text, is_strict::text, service_id::text, reason);
  series app_public.appointment_series;
  wanted app_private.wanted_occurrence[];
  occurrence app_private.wanted_occurrence;
  booked app_public.series_occurrence;
  report jsonb := '[]'::jsonb;
  booked_count integer := 0;
begin
  perform app_private.guard_series(first_starts_at, every_days, occurrence_count);
  perform app_private.materialise_day(hospital, book_series.doctor_id, starts.day)
  from app_private.series_starts(hospital, book_series.doctor_id, first_starts_at, every_days, occurrence_count) as starts;
  series := app_private.replayed_series(idempotency_key, fingerprint);
  if series.id is not null then
    return series;
  end if;

  select array_agg(starts order by starts.number) into wanted
  from app_private.series_starts(hospital, book_series.doctor_id, first_starts_at, every_days, occurrence_count) as starts;
  perform app_private.lock_for_booking(hospital, patient_id, (
    select array_agg(starts.slot_id) || array_agg(further.slot_id)
    from unnest(wanted) as starts
    left join lateral unnest(app_private.needed_slots(hospital, starts.slot_id, book_series.service_id)) as further (slot_id) on true));

  insert into app_public.appointment_series (
    hospital_id, patient_id, doctor_id, service_id, first_starts_at, every_days, occurrence_count,
    is_all_or_nothing, reason, idempotency_key, request_fingerprint)
  values (
    hospital, book_series.patient_id, book_series.doctor_id, book_series.service_id, book_series.first_starts_at,
    book_series.every_days, book_series.occurrence_count, is_strict, book_series.reason,
    book_series.idempotency_key, fingerprint)
  returning * into series;

  foreach occurrence in array wanted loop
    booked := app_private.book_occurrence(series, occurrence);
    booked_count := booked_count + case when booked.scenario is null then 1 else 0 end;
    report := report || jsonb_build_object(
      'number', booked.number, 'starts_at', booked.starts_at, 'scenario', booked.scenario, 'details', booked.details);
  end loop;
  if booked_count = 0 or is_strict and booked_count < series.occurrence_count then
    perform app_private.refuse('series_refused', jsonb_build_object('occurrences', report));
  end if;
  return series;
end
$$;

comment on function app_public.book_series(uuid, timestamptz, integer, integer, uuid, uuid, boolean, uuid, text) is
  'Books the same visit every so many days, at the same local time: occurrenceCount appointments with one doctor, each judged by all booking rules. All or nothing (unless isAllOrNothing is false): one occurrence that cannot be booked refuses all with series_refused, and details.occurrences says of every one whether it could be booked. At best effort those that can be are booked, at least one, and the series lists what became of each. Takes an idempotencyKey like bookAppointment.';

revoke execute on function app_public.book_series(uuid, timestamptz, integer, integer, uuid, uuid, boolean, uuid, text) from public;
grant execute on function app_public.book_series(uuid, timestamptz, integer, integer, uuid, uuid, boolean, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
