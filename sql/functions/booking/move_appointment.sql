-- An appointment moves only together with its seat: the old one is given back and the new one taken
-- in the same transaction, patient, slots and days locked in their order first. A move within one
-- doctor's day leaves the day's count alone, so that a full day does not forbid it. What has ended
-- stays where it was; a request, which has no slot yet, may change its time.
create or replace function app_private.move_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  stays_in_day boolean;
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if new.status <> old.status or (old.status = 'requested' and new.slot_id is null) then
    return new;
  end if;
  if old.status not in ('scheduled', 'confirmed') then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', 'rescheduled'));
  end if;
  if new.slot_id is not distinct from old.slot_id then
    perform app_private.refuse('already_in_slot', jsonb_build_object('slot_id', old.slot_id));
  end if;

  select count(distinct (slot.doctor_id, (slot.starts_at at time zone hospital.time_zone)::date)) = 1
  into stays_in_day
  from app_public.slot
  join app_public.hospital on hospital.id = old.hospital_id
  where slot.hospital_id = old.hospital_id and slot.id in (old.slot_id, new.slot_id);

  new.doctor_id := null;
  new.location_id := null;
  new.during := null;
  new.rescheduled_from := old.slot_id;
  new.updated_at := app_private.clock();
  new := app_private.seat_appointment(new, counts_day => not stays_in_day, leaving_slot_id => old.slot_id);
  perform app_private.release_seat(old.hospital_id, old.slot_id, counts_day => not stays_in_day);
  return new;
end
$$;

comment on function app_private.move_appointment() is
  'Trigger: moves an appointment from its slot to another, with its seat.';

revoke execute on function app_private.move_appointment() from public;

create or replace trigger appointment_moves_with_its_seat
  before update of slot_id, doctor_id, location_id, during on app_public.appointment
  for each row execute function app_private.move_appointment();
