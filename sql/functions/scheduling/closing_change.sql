-- What a closure did, or would do, in the words that the change and its preview share. What can be
-- cancelled the state machine knows; every patient concerned is told once, however many visits it is.
create or replace function app_private.closing_change(
  closed_slots integer, affected app_public.affected_appointment[], is_cancelling boolean, is_telling boolean)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  change app_public.calendar_change;
begin
  change.closed_slots := closing_change.closed_slots;
  change.opened_slots := 0;
  change.deleted_slots := 0;
  change.withdrawn_slots := 0;
  change.kept_slots := 0;
  change.generated_slots := 0;
  change.cancelled_appointments := case when is_cancelling then (
    select count(*)
    from unnest(affected) as visit
    join app_public.appointment_transition
      on appointment_transition.from_status = visit.status and appointment_transition.to_status = 'cancelled')
    else 0 end;
  change.notified_patients := case when is_telling then (
    select count(distinct visit.patient_id) from unnest(affected) as visit) else 0 end;
  change.affected_appointments := affected;
  return change;
end
$$;

comment on function app_private.closing_change(integer, app_public.affected_appointment[], boolean, boolean) is
  'A change of the calendar that closes so many slots and touches these appointments.';

revoke execute on function app_private.closing_change(integer, app_public.affected_appointment[], boolean, boolean) from public;
grant execute on function app_private.closing_change(integer, app_public.affected_appointment[], boolean, boolean)
  to app_doctor, app_receptionist, app_admin;
