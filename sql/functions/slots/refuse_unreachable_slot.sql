-- Why a block or unblock reached no slot: there is none, it is already so, or it is not this
-- caller's to change.
create or replace function app_private.refuse_unreachable_slot(hospital_id uuid, slot_id uuid, is_blocked boolean)
returns void
language plpgsql stable
as $$
declare
  present app_public.slot;
begin
  select * into present
  from app_public.slot
  where slot.hospital_id = refuse_unreachable_slot.hospital_id and slot.id = refuse_unreachable_slot.slot_id;
  perform app_private.refuse(
    case
      when present.id is null then 'slot_not_found'
      when (present.blocked_at is not null) <> is_blocked then 'forbidden'
      when is_blocked then 'slot_is_blocked'
      else 'slot_is_not_blocked'
    end,
    jsonb_build_object('slot_id', slot_id));
end
$$;

comment on function app_private.refuse_unreachable_slot(uuid, uuid, boolean) is
  'Refuses with the reason why a slot could not be blocked or unblocked; never returns.';

revoke execute on function app_private.refuse_unreachable_slot(uuid, uuid, boolean) from public;
grant execute on function app_private.refuse_unreachable_slot(uuid, uuid, boolean)
  to app_doctor, app_nurse, app_receptionist, app_admin;
