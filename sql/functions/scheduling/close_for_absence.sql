-- A new absence closes the slots that it touches, as far as they are still ahead, and says so in the
-- slots, where every booking looks. The slots are locked by id first: a booking that has one of them
-- is finished, and counted, before the appointments are looked at; one that comes later finds it closed.
-- An emergency cancels what it touches; any other absence leaves the visits for people to move.
create or replace function app_private.close_for_absence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  is_emergency boolean := new.type = 'emergency';
  ahead tstzrange := new.during * tstzrange(app_private.clock(), null);
  affected app_public.affected_appointment[];
  closed integer;
begin
  if is_emergency then
    perform app_private.lock_affected(new.hospital_id, new.doctor_id, ahead);
  else
    perform from app_public.slot
    where slot.hospital_id = new.hospital_id
      and slot.doctor_id = new.doctor_id
      and slot.during && ahead
      and slot.withdrawn_at is null
    order by slot.id
    for no key update;
  end if;
  affected := array(
    select visit from app_private.find_affected(new.hospital_id, new.doctor_id, ahead) as visit);

  update app_public.slot
  set absence_id = new.id
  where slot.hospital_id = new.hospital_id
    and slot.doctor_id = new.doctor_id
    and slot.during && ahead
    and slot.withdrawn_at is null
    and slot.absence_id is null;
  get diagnostics closed = row_count;
  if closed > 0 then
    perform app_private.announce_calendar(new.hospital_id, new.doctor_id);
  end if;

  if is_emergency then
    perform app_private.cancel_affected(
      new.hospital_id, affected, 'doctor_emergency', 'Auto-cancelled due to doctor emergency');
  end if;
  perform app_private.tell_affected(new.hospital_id, 'doctor_absent', affected);
  perform app_private.report_change(
    app_private.closing_change(closed, affected, is_cancelling => is_emergency, is_telling => true));
  return null;
end
$$;

comment on function app_private.close_for_absence() is
  'Trigger: closes the slots of a new absence, and cancels or tells the appointments in them.';

revoke execute on function app_private.close_for_absence() from public;

create or replace trigger absence_closes_its_slots
  after insert on app_public.absence
  for each row execute function app_private.close_for_absence();
