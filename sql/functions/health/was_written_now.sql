-- Whether a row that we see was written by the transaction we are in. A row that is visible and whose
-- writer is still at work can only be our own, and a savepoint's number counts too. A frozen row keeps
-- the number of its writer, which after two thousand million transactions looks like one to come: the
-- server calls that an error, and the answer is no.
create or replace function app_private.was_written_now(written_by xid[]) returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
  first constant bigint := pg_current_xact_id()::text::bigint;
  span constant bigint := 4294967296;
  writer text;
  ahead bigint;
begin
  foreach writer in array coalesce(written_by::text[], '{}') loop
    ahead := (writer::bigint - first % span + span) % span;
    if ahead < span / 2 and pg_xact_status((first + ahead)::text::xid8) = 'in progress' then
      return true;
    end if;
  end loop;
  return false;
exception when invalid_parameter_value then
  return false;
end
$$;

comment on function app_private.was_written_now(xid[]) is
  'Whether one of these numbers of writers is the transaction that asks.';

revoke execute on function app_private.was_written_now(xid[]) from public;
