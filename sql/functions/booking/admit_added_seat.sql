-- The seat is added by the row that says why, for every client: one guarded update, which waits for
-- whoever is booking in the slot and then looks again. The update is audited and announced like every
-- change of a capacity, so that those who wait hear of it. Runs as the owner, because no request role
-- writes a capacity; it repeats the walls of hospital and doctor.
create or replace function app_private.admit_added_seat() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
  present app_public.slot;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into present
  from app_public.slot
  where slot.hospital_id = new.hospital_id and slot.id = new.slot_id
  for no key update;
  if present.id is null then
    perform app_private.refuse('slot_not_found', jsonb_build_object('slot_id', new.slot_id));
  end if;
  perform app_private.guard_own_slot(present.doctor_id);
  if present.starts_at <= instant then
    perform app_private.refuse('slot_in_past', jsonb_build_object('starts_at', present.starts_at, 'now', instant));
  elsif present.withdrawn_at is not null or present.is_retired then
    perform app_private.refuse('slot_withdrawn', jsonb_build_object('slot_id', new.slot_id));
  elsif present.capacity >= 100 then
    perform app_private.refuse('slot_is_largest', jsonb_build_object('capacity', present.capacity));
  end if;

  update app_public.slot
  set capacity = slot.capacity + 1
  where slot.hospital_id = new.hospital_id and slot.id = new.slot_id;
  new.doctor_id := present.doctor_id;
  new.added_by := app_private.claim_account_id();
  new.added_at := instant;
  return new;
end
$$;

comment on function app_private.admit_added_seat() is 'Trigger: adds a seat to a slot, or refuses it with its scenario.';

revoke execute on function app_private.admit_added_seat() from public;

create or replace trigger added_seat_is_admitted
  before insert on app_public.added_seat
  for each row execute function app_private.admit_added_seat();
