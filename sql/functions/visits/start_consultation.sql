-- One plain insert under the caller's own rights; the table's triggers do the rest. The id is made first,
-- because a doctor may not read the table, not even the row that they have just written.
create or replace function app_public.start_consultation(appointment_id uuid)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  new_consultation uuid := app_private.new_id();
begin
  insert into app_public.consultation (hospital_id, id, appointment_id)
  values (hospital, new_consultation, start_consultation.appointment_id);
  return app_private.own_consultation(hospital, new_consultation);
end
$$;

comment on function app_public.start_consultation(uuid) is
  'Calls a patient in who has arrived: the appointment is in progress. For the doctor of the appointment.';

revoke execute on function app_public.start_consultation(uuid) from public;
grant execute on function app_public.start_consultation(uuid) to app_doctor;
