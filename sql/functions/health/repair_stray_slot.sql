-- A slot that should not be offered (twice there, off the hours or the grid, of no schedule) is withdrawn
-- when nobody sits in it; its row stays, for whoever refers to it. One that an active schedule has at this
-- very time and place only lost its way: it follows that schedule again. With somebody in it people
-- decide. The calendar is locked first, so that no change of the hours comes in between, then the slot:
-- a booking that has it is waited for, and counts.
create or replace function app_private.repair_stray_slot(finding app_public.finding)
returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  slot app_public.slot;
  day date;
  zone text;
  right_schedule uuid;
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
    return 'Nothing to do: the slot is right.';
  end if;

  if finding.check_name = 'slot_without_schedule' then
    select hospital.time_zone, (slot.starts_at at time zone hospital.time_zone)::date into zone, day
    from app_public.hospital
    where hospital.id = slot.hospital_id;
    select wanted.schedule_id into right_schedule
    from app_private.wanted_slots(
      slot.hospital_id, zone, app_private.working_hours_from(slot.hospital_id, slot.doctor_id, day), day, day) as wanted
    where wanted.during = slot.during and wanted.location_id = slot.location_id;
    if right_schedule is not null then
      update app_public.slot as present
      set schedule_id = right_schedule
      where present.hospital_id = slot.hospital_id and present.id = slot.id;
      perform app_private.record_repair(slot.hospital_id, 'slot', slot.id,
        jsonb_build_object('schedule_id', slot.schedule_id), jsonb_build_object('schedule_id', right_schedule));
      return 'The slot follows the schedule that has its time.';
    end if;
  end if;
  if slot.booked_count > 0 or exists (
    select from checks.slot_seats as seats
    where seats.hospital_id = slot.hospital_id and seats.slot_id = slot.id and seats.seated > 0)
  then
    return null;
  end if;
  update app_public.slot as present
  set withdrawn_at = app_private.clock()
  where present.hospital_id = slot.hospital_id and present.id = slot.id;
  return 'Nobody sat in the slot: it is withdrawn.';
end
$$;

comment on function app_private.repair_stray_slot(app_public.finding) is
  'Withdraws a slot that should not be there when nobody sits in it, or gives it the schedule that has its time.';

revoke execute on function app_private.repair_stray_slot(app_public.finding) from public;
