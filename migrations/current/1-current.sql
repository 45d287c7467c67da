-- A catalog of checks that shows nothing is told within minutes, not only at night.
set local role app_owner;

--! include functions/health/check_guards.sql

select app_private.declare_guards();

reset role;
