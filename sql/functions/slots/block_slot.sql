-- Keeps a slot free by hand. Appointments that are already in it stay.
create or replace function app_public.block_slot(slot_id uuid, reason text)
returns app_public.slot
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  blocked app_public.slot;
begin
  if length(btrim(coalesce(reason, ''))) = 0 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is empty'));
  end if;
  update app_public.slot
  set blocked_at = app_private.clock(), blocked_reason = reason
  where slot.hospital_id = hospital and slot.id = slot_id and slot.blocked_at is null
  returning * into blocked;
  if not found then
    perform app_private.refuse_unreachable_slot(hospital, slot_id, is_blocked => true);
  end if;
  return blocked;
end
$$;

comment on function app_public.block_slot(uuid, text) is
  'Blocks a slot, so that nobody can book it any more; appointments already in it stay. For staff; doctors block their own slots.';

revoke execute on function app_public.block_slot(uuid, text) from public;
grant execute on function app_public.block_slot(uuid, text) to app_doctor, app_nurse, app_receptionist, app_admin;
