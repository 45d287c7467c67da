-- What the sweeps would have done, by the same state machine: a request whose time has come expires; who did not
-- come is missed, within the hospital's own hours and no longer ago than the sweep looks back. What is older,
-- and who was checked in, is a question for people. The appointment is locked first; what it changes (patient,
-- slots, day) is locked in its order by the triggers.
-- Definer, because locking needs rights that the worker lacks.
create or replace function app_private.repair_stale_appointment(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  visit app_public.appointment;
  tenant app_public.hospital;
  local_time time;
begin
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = finding.hospital_id and appointment.id = finding.entity_id
  for no key update;
  if not exists (
    select from checks.stale_active_appointment as found
    where found.hospital_id = finding.hospital_id and found.entity_id = finding.entity_id)
  then
    return format('Nothing to do: the appointment is %s.', coalesce(visit.status::text, 'gone'));
  end if;

  if visit.status = 'requested' then
    update app_public.appointment
    set status = 'expired'
    where appointment.hospital_id = visit.hospital_id and appointment.id = visit.id;
    return 'The request has expired.';
  elsif visit.status not in ('scheduled', 'confirmed') or visit.starts_at <= instant - interval '2 days' then
    return null;
  end if;

  select * into tenant from app_public.hospital where hospital.id = visit.hospital_id;
  local_time := (instant at time zone tenant.time_zone)::time;
  if local_time < tenant.no_show_window_start or local_time >= tenant.no_show_window_end then
    return format('Nothing to do yet: the hospital marks missed visits from %s to %s.',
      tenant.no_show_window_start, tenant.no_show_window_end);
  end if;
  update app_public.appointment
  set status = 'no_show'
  where appointment.hospital_id = visit.hospital_id and appointment.id = visit.id;
  return 'The visit is marked as missed.';
end
$$;

comment on function app_private.repair_stale_appointment(app_public.finding) is
  'Ends an appointment that no sweep has ended, as the sweep would; null where people have to decide.';

revoke execute on function app_private.repair_stale_appointment(app_public.finding) from public;
