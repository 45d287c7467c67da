-- The log has no index by time, and a booking shall not pay for one: its ids grow with time, so the place
-- of an instant is found by halving, in some thirty looks at the key however long the log is. Entries are
-- numbered when they are written and dated when their transaction began; who asks for a stretch of time
-- allows some minutes on either side and looks at the dates.
create or replace function app_private.audit_id_at(hospital_id uuid, instant timestamptz) returns bigint
language plpgsql stable
as $$
declare
  low bigint;
  high bigint;
  middle bigint;
  met record;
begin
  select min(entry.id), max(entry.id) + 1 into low, high
  from app_public.audit_entry as entry
  where entry.hospital_id = audit_id_at.hospital_id;
  while low < high loop
    middle := low + (high - low) / 2;
    select entry.id, entry.recorded_at into met
    from app_public.audit_entry as entry
    where entry.hospital_id = audit_id_at.hospital_id and entry.id >= middle
    order by entry.id
    limit 1;
    if met.recorded_at < instant then
      low := met.id + 1;
    else
      high := middle;
    end if;
  end loop;
  return coalesce(low, 0);
end
$$;

comment on function app_private.audit_id_at(uuid, timestamptz) is
  'About where in the audit log of a hospital an instant lies: the first id that is not older.';

revoke execute on function app_private.audit_id_at(uuid, timestamptz) from public;
