-- The sweep: visits of a hospital that nobody came to, oldest first, one batch a call. Who is just being
-- checked in, cancelled or moved is skipped, and so is a patient who is just booking: the next run finds
-- what is left. Everything is locked in the order of every booking (appointments, patients by id, slots
-- by id, days by key) before the first row changes. One run a hospital at a time; a second one leaves at
-- once. It looks back two days, so that what fell due while no worker ran is not forgotten, and no
-- further: what is older is a question for people (the check on stale appointments finds it).
-- Within the hospital's own hours only; the caller looks at the window (hospitals_with_no_shows), the
-- time-out itself is guarded by the state machine (guard_no_show). It acts as the worker and runs as the
-- owner, because locking needs rights that the worker lacks. Cost follows what is due
-- (appointment_awaited_by_time).
create or replace function app_private.mark_no_shows(hospital_id uuid, most integer default 200)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  instant timestamptz := app_private.clock();
  due uuid[];
  patient_ids uuid[];
  marked integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if not pg_try_advisory_xact_lock(hashtextextended('mark_no_shows', 0) # hashtextextended(hospital_id::text, 0)) then
    return 0;
  end if;

  select array_agg(visit.id), array_agg(distinct visit.patient_id) into due, patient_ids
  from (
    select appointment.id, appointment.patient_id
    from app_public.appointment
    join app_public.doctor
      on doctor.hospital_id = mark_no_shows.hospital_id and doctor.id = appointment.doctor_id
    where appointment.hospital_id = mark_no_shows.hospital_id
      and appointment.status in ('scheduled', 'confirmed')
      and appointment.starts_at > instant - interval '2 days'
      and appointment.starts_at <= instant
      and appointment.starts_at + doctor.slot_duration <= instant
    order by appointment.starts_at
    limit most
    for no key update of appointment skip locked
  ) as visit;
  if due is null then
    return 0;
  end if;

  patient_ids := array(
    select patient.id
    from app_public.patient
    where patient.hospital_id = mark_no_shows.hospital_id and patient.id = any (patient_ids)
    order by patient.id
    for no key update skip locked);
  due := array(
    select appointment.id
    from app_public.appointment
    where appointment.hospital_id = mark_no_shows.hospital_id
      and appointment.id = any (due)
      and appointment.patient_id = any (patient_ids));
  perform app_private.lock_seats(hospital_id, app_private.seats_of(hospital_id, due));

  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  update app_public.appointment
  set status = 'no_show'
  where appointment.hospital_id = mark_no_shows.hospital_id and appointment.id = any (due);
  get diagnostics marked = row_count;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return marked;
end
$$;

comment on function app_private.mark_no_shows(uuid, integer) is
  'Marks the visits of a hospital as missed whose patients have not arrived in time, at most so many; returns how many.';

revoke execute on function app_private.mark_no_shows(uuid, integer) from public;
grant execute on function app_private.mark_no_shows(uuid, integer) to app_worker;
