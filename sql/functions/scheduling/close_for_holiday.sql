-- A new holiday closes the slots of its days in the whole hospital and says so in the slots, where every
-- booking looks. They are locked by id first: a booking that has one of them is finished, and counted,
-- before the appointments are looked at; one that comes later finds it closed. Appointments stay, for
-- people to move; their patients are told.
create or replace function app_private.close_for_holiday() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  slot_ids uuid[] := app_private.slots_of_holiday(new.hospital_id, new.date, new.is_recurring);
  affected app_public.affected_appointment[];
  closed integer;
begin
  perform from app_public.slot
  where slot.hospital_id = new.hospital_id and slot.id = any (slot_ids)
  order by slot.id
  for no key update;
  affected := app_private.affected_by_holiday(new.hospital_id, new.date, new.is_recurring);

  update app_public.slot
  set holiday_id = new.id
  where slot.hospital_id = new.hospital_id and slot.id = any (slot_ids) and slot.withdrawn_at is null;
  get diagnostics closed = row_count;
  if closed > 0 then
    perform app_private.announce_calendar(new.hospital_id);
  end if;

  perform app_private.tell_affected(
    new.hospital_id, 'hospital_closed', affected, jsonb_build_object('holiday', new.name));
  perform app_private.report_change(
    app_private.closing_change(closed, affected, is_cancelling => false, is_telling => true));
  return null;
end
$$;

comment on function app_private.close_for_holiday() is
  'Trigger: closes the slots of a new holiday and tells the patients of the appointments in them.';

revoke execute on function app_private.close_for_holiday() from public;

create or replace trigger holiday_closes_its_slots
  after insert on app_public.holiday
  for each row execute function app_private.close_for_holiday();
