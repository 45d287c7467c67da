-- A change of state has one name for people; whatever the state machine learns later is a change until
-- it gets one.
create or replace function app_private.appointment_event_kind(
  operation app_public.audit_operation, from_status app_public.appointment_status,
  to_status app_public.appointment_status, cancellation_cause text)
returns app_public.appointment_event_kind
language sql immutable parallel safe
return (case
  when operation = 'delete' then 'removed'
  when from_status is null and to_status in ('requested', 'held') then to_status::text
  when from_status is null then 'booked'
  when from_status = to_status then 'moved'
  when from_status = 'requested' and to_status = 'scheduled' then 'accepted'
  when from_status = 'requested' and to_status = 'held' then 'proposed'
  when from_status = 'held' and to_status = 'scheduled' then 'hold_confirmed'
  when from_status = 'no_show' then 'no_show_undone'
  when to_status = 'cancelled' and cancellation_cause = 'declined' then 'declined'
  when to_status in ('confirmed', 'checked_in', 'in_progress', 'completed', 'cancelled', 'no_show', 'expired') then to_status::text
  else 'changed'
end)::app_public.appointment_event_kind;

comment on function app_private.appointment_event_kind(
  app_public.audit_operation, app_public.appointment_status, app_public.appointment_status, text) is
  'The name of a change of an appointment.';

revoke execute on function app_private.appointment_event_kind(
  app_public.audit_operation, app_public.appointment_status, app_public.appointment_status, text) from public;
