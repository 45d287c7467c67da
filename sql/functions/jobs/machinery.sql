-- Jobs that look after all hospitals have a home in the same tables, under an id that no hospital has.
create or replace function app_private.machinery() returns uuid
language sql immutable parallel safe
return '00000000-0000-0000-0000-000000000000'::uuid;

comment on function app_private.machinery() is 'The hospital of noughts, under which jobs stand that serve all hospitals.';

revoke execute on function app_private.machinery() from public;
grant execute on function app_private.machinery() to app_worker, app_admin, app_monitor;
