-- The rules with holidays, absences and long visits; requests that are accepted; who is told.

set local role app_owner;

drop function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean);
drop function app_private.lapsed_holds(uuid, uuid);
drop function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid);
drop function app_private.guard_hold(app_public.appointment, app_public.appointment_status, timestamptz);
drop function app_private.take_seat(uuid, uuid, boolean);
drop function app_private.seat_appointment(app_public.appointment, boolean, uuid);
drop function app_private.refuse_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, text);

--! include functions/foundation/keep_columns.sql
--! include functions/scheduling/holiday_on.sql
--! include functions/scheduling/is_absent.sql
--! include functions/booking/holds_seat.sql
--! include functions/booking/cancellation_cause.sql
--! include functions/booking/held_until.sql
--! include functions/booking/request_time.sql
--! include functions/booking/visit_time.sql
--! include functions/booking/needed_slots.sql
--! include functions/booking/further_slots.sql
--! include functions/booking/lapsed_holds.sql
--! include functions/booking/expire_lapsed_holds.sql
--! include functions/booking/judge_further_slots.sql
--! include functions/booking/judge_booking.sql
--! include functions/booking/refuse_booking.sql
--! include functions/booking/guard_deadline.sql
--! include functions/booking/guard_own_slot.sql
--! include functions/booking/take_seat.sql
--! include functions/booking/release_seat.sql
--! include functions/booking/leave_seats.sql
--! include functions/booking/seat_appointment.sql
--! include functions/booking/admit_request.sql
--! include functions/booking/admit_appointment.sql
--! include functions/booking/change_appointment_status.sql
--! include functions/booking/move_appointment.sql
--! include functions/booking/keep_further_seats.sql
--! include functions/booking/count_further_seat.sql
--! include functions/booking/announce_appointment.sql
--! include functions/notifications/deadline_of_hold.sql
--! include functions/notifications/tell_of_appointment.sql
--! include policies/appointment.sql
--! include policies/appointment_seat.sql

reset role;
