-- Where everybody stands who arrived in this time and is not done: the one place that says what a stage
-- is, since when it lasts and when it has lasted too long. A consultation that was abandoned begins the
-- wait anew. Served by the index of those who wait (appointment_in_the_waiting_room): the cost follows
-- them, and not the visits of the day. Definer, because nobody may read consultations; of them it tells
-- only that one is under way and since when.
create or replace function app_private.waiting_stages(
  hospital_id uuid, arrived_from timestamptz, arrived_before timestamptz)
returns table (
  appointment_id uuid, doctor_id uuid, stage app_public.waiting_stage,
  waiting_since timestamptz, due_at timestamptz, consultation_id uuid)
language plpgsql stable security definer rows 20
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return query
  select visit.id, visit.doctor_id,
    (case
      when visit.status = 'in_progress' then 'with_doctor'
      when visit.vitals_recorded_at is null then 'waiting_for_vitals'
      else 'waiting_for_doctor' end)::app_public.waiting_stage,
    began.instant,
    case when visit.status = 'checked_in' then began.instant + doctor.slot_duration
      + case when visit.vitals_recorded_at is null then hospital.vitals_alert_buffer else hospital.doctor_alert_buffer end end,
    began.consultation_id
  from app_public.appointment as visit
  join app_public.hospital on hospital.id = waiting_stages.hospital_id
  join app_public.doctor on doctor.hospital_id = waiting_stages.hospital_id and doctor.id = visit.doctor_id
  cross join lateral (
    select
      greatest(visit.checked_in_at, visit.vitals_recorded_at, max(coalesce(consultation.ended_at, consultation.started_at))),
      (array_agg(consultation.id) filter (where consultation.ended_at is null))[1]
    from app_public.consultation
    where consultation.hospital_id = waiting_stages.hospital_id and consultation.appointment_id = visit.id
  ) as began (instant, consultation_id)
  where visit.hospital_id = waiting_stages.hospital_id
    and visit.status in ('checked_in', 'in_progress')
    and visit.checked_in_at >= arrived_from
    and visit.checked_in_at < arrived_before;
end
$$;

comment on function app_private.waiting_stages(uuid, timestamptz, timestamptz) is
  'The stage of every appointment whose patient arrived in a time and is not done, since when, and until when it may last.';

revoke execute on function app_private.waiting_stages(uuid, timestamptz, timestamptz) from public;
grant execute on function app_private.waiting_stages(uuid, timestamptz, timestamptz)
  to app_doctor, app_nurse, app_receptionist, app_admin;
