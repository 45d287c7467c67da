-- The way back from slot_position. Whatever a client sends instead is refused before it is cast; the
-- first digits leave no room for an instant that Postgres could not hold (the last is in the year 2540).
create or replace function app_private.read_position(
  wanted text, out starts_at timestamptz, out doctor_id uuid)
language plpgsql immutable parallel safe
as $$
begin
  if wanted !~ '^00[0-3][0-9a-f]{45}$' then
    perform app_private.refuse('invalid_input', jsonb_build_object('beyond', 'is not the position of a free slot'));
  end if;
  starts_at := timestamptz 'epoch'
    + ('x' || substr(wanted, 1, 16))::bit(64)::bigint * interval '1 microsecond';
  doctor_id := substr(wanted, 17)::uuid;
end
$$;

comment on function app_private.read_position(text) is 'Start and doctor of a position; refuses what is none.';

revoke execute on function app_private.read_position(text) from public;
grant execute on function app_private.read_position(text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
