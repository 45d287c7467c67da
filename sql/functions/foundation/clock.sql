-- The one clock of the system: the start of the transaction, moved by a shift that only the owner
-- may set (to rehearse a day, or in a test). Clients cannot reach the shift, and no server's or
-- worker's own clock is ever asked.
create or replace function app_private.clock() returns timestamptz
language plpgsql stable parallel safe security definer
set search_path = ''
as $$
begin
  return now() + coalesce((select clock_shift.shift from app_private.clock_shift), interval '0');
end
$$;

comment on function app_private.clock() is
  'The present instant as every rule sees it: now() plus app_private.clock_shift.';

revoke execute on function app_private.clock() from public;
grant execute on function app_private.clock()
  to app_worker, app_login, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
