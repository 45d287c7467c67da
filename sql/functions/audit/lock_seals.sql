-- Whoever seals, and whoever redacts what may be sealed, comes in turn: one of them a hospital. Nobody
-- who books takes it. It is the last lock of an erasure, and a sealer holds nothing else, so neither can
-- wait for the other in a circle.
create or replace function app_private.lock_seals(hospital_id uuid, is_waiting boolean default true) returns boolean
language plpgsql
as $$
begin
  if is_waiting then
    perform pg_advisory_xact_lock(hashtextextended(concat('audit_seal', hospital_id), 0));
    return true;
  end if;
  return pg_try_advisory_xact_lock(hashtextextended(concat('audit_seal', hospital_id), 0));
end
$$;

comment on function app_private.lock_seals(uuid, boolean) is
  'Locks the seals of a hospital until the end of the transaction; whether it has them, where it does not wait.';

revoke execute on function app_private.lock_seals(uuid, boolean) from public;
grant execute on function app_private.lock_seals(uuid, boolean) to app_eraser;
