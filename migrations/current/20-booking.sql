-- A patient whose lapsed hold is being answered at this moment is asked to try again.

set local role app_owner;

--! include functions/booking/guard_no_answer_under_way.sql
--! include functions/booking/seat_appointment.sql

reset role;
