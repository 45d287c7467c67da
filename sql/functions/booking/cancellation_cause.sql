-- Why an appointment ends, as far as it follows from who ends it. Flows of the calendar say more.
create or replace function app_private.cancellation_cause(actor text, from_status app_public.appointment_status)
returns app_public.cancellation_cause
language sql immutable parallel safe
return (case
  when actor = 'patient' then 'patient'
  when actor = 'worker' then 'system'
  when from_status = 'requested' then 'declined'
  else 'staff'
end)::app_public.cancellation_cause;

comment on function app_private.cancellation_cause(text, app_public.appointment_status) is
  'What ends an appointment of this state when this actor cancels it.';

revoke execute on function app_private.cancellation_cause(text, app_public.appointment_status) from public;
