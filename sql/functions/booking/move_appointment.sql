-- An appointment moves only together with its seats: the old ones are given back and the new ones taken
-- in the same transaction, patient, slots and days locked in their order first. What has ended stays
-- where it was; a request, which has no slot yet, may change its time, and gets its slot with its state.
create or replace function app_private.move_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if new.status <> old.status or (old.status = 'requested' and new.slot_id is null) then
    return new;
  end if;
  if old.status not in ('scheduled', 'confirmed') then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', 'rescheduled'));
  end if;
  if new.slot_id is not distinct from old.slot_id then
    perform app_private.refuse('already_in_slot', jsonb_build_object('slot_id', old.slot_id));
  end if;

  new.doctor_id := null;
  new.location_id := null;
  new.during := null;
  new.rescheduled_from := old.slot_id;
  new.updated_at := app_private.clock();
  return app_private.seat_appointment(new, moving => old);
end
$$;

comment on function app_private.move_appointment() is
  'Trigger: moves an appointment from its slot to another, with its seats.';

revoke execute on function app_private.move_appointment() from public;

create or replace trigger appointment_moves_with_its_seat
  before update of slot_id, doctor_id, location_id, during on app_public.appointment
  for each row execute function app_private.move_appointment();
