-- One doctor's week, replaced as a whole. The calendar is locked before the old rows are read, so that of
-- two who replace the same week the second replaces what the first has made. Old rows make room before
-- new ones come, so no two ever overlap. The rows are written under the caller's own rights; the slots
-- follow in the same transaction.
create or replace function app_public.replace_schedule(
  doctor_id uuid, effective_from date, rows app_public.schedule_row[], effective_until date default null)
returns app_public.calendar_change
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  hours app_private.working_hours[];
begin
  perform app_private.guard_schedule_change(hospital, doctor_id, effective_from, rows, effective_until);
  perform app_private.lock_calendar(hospital, doctor_id);
  hours := app_private.replaced_hours(hospital, doctor_id, effective_from, rows, effective_until);

  update app_public.schedule
  set is_active = false
  where schedule.hospital_id = hospital
    and schedule.doctor_id = replace_schedule.doctor_id
    and schedule.is_active
    and not exists (select from unnest(hours) as kept where kept.schedule_id = schedule.id);

  update app_public.schedule
  set effective_from = kept.effective_from, effective_until = kept.effective_until
  from unnest(hours) as kept
  where schedule.hospital_id = hospital
    and schedule.id = kept.schedule_id
    and (schedule.effective_from, schedule.effective_until) is distinct from (kept.effective_from, kept.effective_until);

  insert into app_public.schedule (
    hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end,
    slot_capacity, effective_from, effective_until)
  select hospital, added.doctor_id, added.location_id, added.weekday, added.start_time, added.end_time,
    added.break_start, added.break_end, added.slot_capacity, added.effective_from, added.effective_until
  from unnest(hours) as added
  where added.schedule_id is null;

  -- Without an end, because slots after the replaced days follow the row that was cut off for them.
  return app_private.regenerate_slots(hospital, doctor_id, effective_from, null, with_alternatives => true);
end
$$;

comment on function app_public.replace_schedule(uuid, date, app_public.schedule_row[], date) is
  'Replaces a doctor''s working week from a local day on (today or later), for good or until another day, after which the old week holds again. No rows: the doctor does not work in that time. Slots follow at once: free ones outside the new hours go, those with appointments stay for them and take no others, new ones are generated; the patients of affected appointments are notified. All faults of all rows come back together in details.rows of schedule_invalid. For admins, receptionists and the doctor.';

revoke execute on function app_public.replace_schedule(uuid, date, app_public.schedule_row[], date) from public;
grant execute on function app_public.replace_schedule(uuid, date, app_public.schedule_row[], date)
  to app_doctor, app_receptionist, app_admin;
