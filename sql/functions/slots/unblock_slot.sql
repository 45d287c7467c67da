-- Offers a slot again that was blocked by hand.
create or replace function app_public.unblock_slot(slot_id uuid)
returns app_public.slot
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  unblocked app_public.slot;
begin
  update app_public.slot
  set blocked_at = null, blocked_reason = null
  where slot.hospital_id = hospital and slot.id = slot_id and slot.blocked_at is not null
  returning * into unblocked;
  if not found then
    perform app_private.refuse_unreachable_slot(hospital, slot_id, is_blocked => false);
  end if;
  return unblocked;
end
$$;

comment on function app_public.unblock_slot(uuid) is
  'Unblocks a slot that was blocked by hand. For staff; doctors unblock their own slots.';

revoke execute on function app_public.unblock_slot(uuid) from public;
grant execute on function app_public.unblock_slot(uuid) to app_doctor, app_nurse, app_receptionist, app_admin;
