-- Which states hold a seat, for those who must know it before the row is stored. The column
-- appointment.holds_seat says the same of stored rows; a test holds the two together.
create or replace function app_private.holds_seat(status app_public.appointment_status) returns boolean
language sql immutable parallel safe
return status in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress');

comment on function app_private.holds_seat(app_public.appointment_status) is 'Whether an appointment in this state holds a seat.';

revoke execute on function app_private.holds_seat(app_public.appointment_status) from public;
grant execute on function app_private.holds_seat(app_public.appointment_status)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
