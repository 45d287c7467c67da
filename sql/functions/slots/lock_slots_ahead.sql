-- Locks the slots of a doctor (or of all) that a change of the calendar may touch, in the order of their
-- ids, as everybody does who locks several. For update, because some will be deleted: a booking that
-- comes later waits here and then sees what became of its slot; one that came before is waited for and
-- counts. A day back too, because a transaction that began earlier may still take a slot that has just
-- begun; and, on demand, every other slot in which somebody sits.
create or replace function app_private.lock_slots_ahead(
  hospital_id uuid, doctor_id uuid default null, and_seated boolean default false)
returns void
language plpgsql
as $$
declare
  since timestamptz := app_private.clock() - interval '1 day';
begin
  if and_seated then
    perform from app_public.slot
    where slot.hospital_id = lock_slots_ahead.hospital_id
      and (slot.starts_at > since or slot.booked_count > 0)
      and (lock_slots_ahead.doctor_id is null or slot.doctor_id = lock_slots_ahead.doctor_id)
      and slot.withdrawn_at is null
    order by slot.id
    for update;
  else
    perform from app_public.slot
    where slot.hospital_id = lock_slots_ahead.hospital_id
      and slot.starts_at > since
      and (lock_slots_ahead.doctor_id is null or slot.doctor_id = lock_slots_ahead.doctor_id)
      and slot.withdrawn_at is null
    order by slot.id
    for update;
  end if;
end
$$;

comment on function app_private.lock_slots_ahead(uuid, uuid, boolean) is
  'Locks the slots ahead of a doctor (or of a hospital) in the order of their ids, on demand with all others in which somebody sits.';

revoke execute on function app_private.lock_slots_ahead(uuid, uuid, boolean) from public;
