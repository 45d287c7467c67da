-- One plain insert; the trigger of added_seat adds the seat. The doctor's daily limit still holds.
create or replace function app_public.add_seat(slot_id uuid, reason text)
returns app_public.slot
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  larger app_public.slot;
begin
  if length(btrim(coalesce(reason, ''))) = 0 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is empty'));
  end if;
  insert into app_public.added_seat (hospital_id, slot_id, reason)
  values (hospital, add_seat.slot_id, add_seat.reason);

  select * into larger
  from app_public.slot
  where slot.hospital_id = hospital and slot.id = add_seat.slot_id;
  return larger;
end
$$;

comment on function app_public.add_seat(uuid, text) is
  'Adds a seat to a slot beyond its schedule, and writes down why and by whom. The doctor''s daily limit still holds. For staff; doctors add to their own slots.';

revoke execute on function app_public.add_seat(uuid, text) from public;
grant execute on function app_public.add_seat(uuid, text) to app_doctor, app_nurse, app_receptionist, app_admin;
