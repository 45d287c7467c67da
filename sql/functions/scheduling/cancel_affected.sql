-- Cancels those of the appointments that the state machine lets be cancelled; who is checked in or in
-- the room is the staff's to look after. Their rows, slots and days are locked already, so the order of
-- the update does not matter; seats, log and messages are the work of the appointment's own triggers.
create or replace function app_private.cancel_affected(
  hospital_id uuid, affected app_public.affected_appointment[], cause app_public.cancellation_cause, reason text)
returns void
language plpgsql
as $$
begin
  update app_public.appointment
  set status = 'cancelled', cancellation_cause = cancel_affected.cause, cancellation_reason = cancel_affected.reason
  where appointment.hospital_id = cancel_affected.hospital_id
    and appointment.id in (
      select visit.appointment_id
      from unnest(affected) as visit
      join app_public.appointment_transition
        on appointment_transition.from_status = visit.status and appointment_transition.to_status = 'cancelled');
end
$$;

comment on function app_private.cancel_affected(uuid, app_public.affected_appointment[], app_public.cancellation_cause, text) is
  'Cancels the appointments that a change of the calendar touches, as far as they can be cancelled.';

revoke execute on function app_private.cancel_affected(uuid, app_public.affected_appointment[], app_public.cancellation_cause, text) from public;
