-- Who observes the server itself, and who monitors.
--! include roles.sql

set local role app_owner;
grant usage on schema app_public, app_private to app_observer;
reset role;
