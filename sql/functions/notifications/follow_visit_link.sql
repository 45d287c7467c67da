-- Does what a signed link is for, as the patient of the visit and under the rules of every patient. The
-- visit is locked before it is looked at, so that a move at this moment is seen or waits. What is done
-- already is not done again: the link says so instead. The state machine decides about the rest.
create or replace function app_private.follow_visit_link(
  appointment_id uuid, start_micros bigint, to_status app_public.appointment_status)
returns boolean
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  visit app_public.appointment;
begin
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = appointment_id
  for no key update;
  if not found
    or (extract(epoch from visit.starts_at) * 1000000)::bigint <> start_micros
    or visit.starts_at <= app_private.clock()
  then
    perform app_private.refuse('visit_link_invalid');
  end if;
  if visit.status = to_status then
    return false;
  end if;
  if to_status = 'confirmed' then
    perform app_public.confirm_appointment(appointment_id);
  elsif to_status = 'cancelled' then
    perform app_public.cancel_appointment(appointment_id);
  else
    perform app_private.refuse('visit_link_invalid');
  end if;
  return true;
end
$$;

comment on function app_private.follow_visit_link(uuid, bigint, app_public.appointment_status) is
  'Confirms or cancels the visit of a link; false when that had happened already.';

revoke execute on function app_private.follow_visit_link(uuid, bigint, app_public.appointment_status) from public;
grant execute on function app_private.follow_visit_link(uuid, bigint, app_public.appointment_status) to app_patient;
