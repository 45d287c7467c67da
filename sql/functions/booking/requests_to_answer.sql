-- Served by the index of open requests alone: its cost does not grow with what was answered before.
-- A time that has passed cannot be accepted any more; the worker lets such requests expire.
-- No grant to app_nurse and app_patient: they do not answer requests.
create or replace function app_public.requests_to_answer()
returns setof app_public.appointment
language plpgsql stable rows 20
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_doctor uuid := case when app_private.actor_role() = 'doctor' then app_private.claim_doctor_id() end;
begin
  return query
  select appointment.*
  from app_public.appointment
  where appointment.hospital_id = hospital
    and appointment.status = 'requested'
    and appointment.starts_at > app_private.clock()
    and (own_doctor is null or appointment.doctor_id = own_doctor)
  order by appointment.created_at, appointment.id;
end
$$;

comment on function app_public.requests_to_answer() is
  'Open requests, the oldest wish first: a doctor''s own, for reception and admins all of the hospital. Answer each with acceptAppointment, proposeSlot or declineAppointment.';

revoke execute on function app_public.requests_to_answer() from public;
grant execute on function app_public.requests_to_answer() to app_doctor, app_receptionist, app_admin;
