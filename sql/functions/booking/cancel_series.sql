-- Locks first: the appointments by id (nobody waits for an appointment while holding a patient or a slot),
-- then the patient, every slot by id, every day. What has begun or ended stays; so does what is not the
-- caller's to cancel, and if that is all of it, the caller is told.
create or replace function app_public.cancel_series(series_id uuid, reason text default null)
returns setof app_public.appointment
language plpgsql volatile rows 10
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  series app_public.appointment_series;
  ahead record;
begin
  select * into series
  from app_public.appointment_series
  where appointment_series.hospital_id = hospital and appointment_series.id = cancel_series.series_id;
  if series.id is null then
    perform app_private.refuse('series_not_found', jsonb_build_object('series_id', series_id));
  end if;

  select array_agg(occurrence.id) as ids, array_agg(occurrence.slot_id) as slot_ids into ahead
  from (
    select appointment.id, appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = hospital
      and appointment.series_id = series.id
      and appointment.starts_at > instant
      and appointment.status in ('held', 'scheduled', 'confirmed')
    order by appointment.id
    for no key update
  ) as occurrence;
  if ahead.ids is null then
    if app_private.actor_role() = 'doctor' and series.doctor_id is distinct from app_private.claim_doctor_id() then
      perform app_private.refuse('forbidden', jsonb_build_object('series_id', series_id));
    end if;
    return;
  end if;

  perform app_private.lock_for_booking(hospital, series.patient_id, ahead.slot_ids, ahead.ids);
  return query
  update app_public.appointment
  set status = 'cancelled', cancellation_reason = cancel_series.reason
  where appointment.hospital_id = hospital and appointment.id = any (ahead.ids)
  returning appointment.*;
end
$$;

comment on function app_public.cancel_series(uuid, text) is
  'Cancels all occurrences of a series that are still ahead, and frees their seats at once; returns those that it cancelled.';

revoke execute on function app_public.cancel_series(uuid, text) from public;
grant execute on function app_public.cancel_series(uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
