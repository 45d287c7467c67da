-- The reason and the comment are for the log alone: they are handed over as settings of the transaction,
-- and taken back at once, so that they are stored in one place (record_no_show).
-- No grant to app_patient: patients cancel.
create or replace function app_public.mark_no_show(
  appointment_id uuid, reason app_public.no_show_reason default null, comment text default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  marked app_public.appointment;
begin
  if reason = 'auto_timeout' then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is for the automatic sweep'));
  elsif length(comment) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('comment', 'has more than 2000 characters'));
  end if;
  -- By whom follows from who acts, whatever is said.
  perform set_config('slotkeeper.no_show_reason', case when reason = 'patient_called' then 'patient_called' else '' end, true),
    set_config('slotkeeper.no_show_comment', coalesce(comment, ''), true);
  marked := app_private.transit_appointment(appointment_id, 'no_show');
  perform set_config('slotkeeper.no_show_reason', '', true), set_config('slotkeeper.no_show_comment', '', true);
  return marked;
end
$$;

comment on function app_public.mark_no_show(uuid, app_public.no_show_reason, text) is
  'Marks that the patient did not come to a visit that has begun, or (reason patient_called) will not come. It is logged, counted and told to the patient, who is blocked at the hospital''s noShowBlockThreshold. Without a reason: manual_doctor or manual_staff. For staff.';

revoke execute on function app_public.mark_no_show(uuid, app_public.no_show_reason, text) from public;
grant execute on function app_public.mark_no_show(uuid, app_public.no_show_reason, text)
  to app_doctor, app_nurse, app_receptionist, app_admin;
