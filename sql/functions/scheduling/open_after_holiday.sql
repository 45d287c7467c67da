-- A cancelled holiday opens the slots that it closed and nothing else: a slot that is blocked by hand, in
-- an absence or withdrawn stays so, because each reason has a column of its own. The slots are locked by
-- id first.
create or replace function app_private.open_after_holiday() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  change app_public.calendar_change := app_private.closing_change(0, '{}', is_cancelling => false, is_telling => false);
begin
  perform from app_public.slot
  where slot.hospital_id = new.hospital_id and slot.holiday_id = new.id
  order by slot.id
  for no key update;

  with opened as (
    update app_public.slot
    set holiday_id = null
    where slot.hospital_id = new.hospital_id and slot.holiday_id = new.id
    returning slot.status)
  select count(*) filter (where opened.status not in ('blocked', 'withdrawn')) into change.opened_slots
  from opened;

  perform app_private.announce_calendar(new.hospital_id);
  perform app_private.report_change(change);
  return null;
end
$$;

comment on function app_private.open_after_holiday() is 'Trigger: opens the slots that a cancelled holiday had closed.';

revoke execute on function app_private.open_after_holiday() from public;

create or replace trigger cancelled_holiday_opens_its_slots
  after update of is_active on app_public.holiday
  for each row when (old.is_active and not new.is_active)
  execute function app_private.open_after_holiday();
