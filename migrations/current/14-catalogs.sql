-- The state machine and the refusals, with what the calendar and the requests add.

set local role app_owner;

--! include catalog/appointment_transition.sql
--! include catalog/error_catalog.sql
--! include functions/scheduling/lock_calendar.sql

reset role;
