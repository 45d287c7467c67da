-- One import at a time into a hospital: it is the very first lock, before the calendar, and nobody waits
-- for it. So two imports never wait for each other's rows, and of two that bring the same rows the second
-- sees what the first has made.
create or replace function app_private.start_import(hospital_id uuid) returns uuid
language plpgsql volatile
as $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended(concat('import', hospital_id), 0)) then
    perform app_private.refuse('import_running');
  end if;
  return app_private.new_id();
end
$$;

comment on function app_private.start_import(uuid) is
  'Begins an import into a hospital, the only one until this transaction ends; returns the id of the run.';

revoke execute on function app_private.start_import(uuid) from public;
grant execute on function app_private.start_import(uuid) to app_admin;
