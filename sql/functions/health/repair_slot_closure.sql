-- Closes a slot for the absence and the holiday that hold at its time, and opens it where none does: what
-- entering and cancelling them does for all slots, done for one that was passed over. Those who sit in a
-- slot that is closed now are told as they would have been; in an emergency they would have been
-- cancelled, which is for people to do. The calendar is locked first, then the slot.
create or replace function app_private.repair_slot_closure(finding app_public.finding)
returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  slot app_public.slot;
  absence app_public.absence;
  holiday app_public.holiday;
  affected app_public.affected_appointment[];
begin
  select * into slot
  from app_public.slot as present
  where present.hospital_id = finding.hospital_id and present.id = finding.entity_id;
  if slot.id is null then
    return 'Nothing to do: the slot is gone.';
  end if;
  perform app_private.lock_calendar(slot.hospital_id, slot.doctor_id);
  select * into slot
  from app_public.slot as present
  where present.hospital_id = finding.hospital_id and present.id = finding.entity_id
  for no key update;
  if slot.id is null or not app_private.is_still_found(finding) then
    return 'Nothing to do: the slot is closed and open as it should be.';
  end if;

  select * into absence
  from app_public.absence as away
  where away.hospital_id = slot.hospital_id
    and away.doctor_id = slot.doctor_id
    and away.status = 'active'
    and away.during && slot.during
  order by away.id <> coalesce(slot.absence_id, away.id), away.during
  limit 1;
  select (app_private.holiday_on(slot.hospital_id, (slot.starts_at at time zone hospital.time_zone)::date)).* into holiday
  from app_public.hospital
  where hospital.id = slot.hospital_id;
  affected := array(
    select visit
    from app_private.find_affected(slot.hospital_id, slot.doctor_id, slot.during, with_alternatives => false) as visit
    join app_public.appointment
      on appointment.hospital_id = slot.hospital_id and appointment.id = visit.appointment_id and appointment.holds_seat);
  if slot.absence_id is null and absence.type = 'emergency' and affected <> '{}' then
    return null;
  end if;

  update app_public.slot as present
  set absence_id = absence.id, holiday_id = holiday.id
  where present.hospital_id = slot.hospital_id and present.id = slot.id;
  perform app_private.record_repair(slot.hospital_id, 'slot', slot.id,
    jsonb_build_object('absence_id', slot.absence_id, 'holiday_id', slot.holiday_id),
    jsonb_build_object('absence_id', absence.id, 'holiday_id', holiday.id));
  perform app_private.announce_calendar(slot.hospital_id, slot.doctor_id);
  if slot.absence_id is null and absence.id is not null then
    perform app_private.tell_affected(slot.hospital_id, 'doctor_absent', affected);
  end if;
  if slot.holiday_id is null and holiday.id is not null then
    perform app_private.tell_affected(
      slot.hospital_id, 'hospital_closed', affected, jsonb_build_object('holiday', holiday.name));
  end if;
  return case when absence.id is null and holiday.id is null
    then 'The slot is open again.' else 'The slot is closed by what holds at its time.' end;
end
$$;

comment on function app_private.repair_slot_closure(app_public.finding) is
  'Closes or opens a slot as absences and holidays say.';

revoke execute on function app_private.repair_slot_closure(app_public.finding) from public;
