-- A cancelled absence opens the slots that it closed and nothing else: a slot that is blocked by hand,
-- on a holiday or withdrawn stays so, because each reason has a column of its own. A slot that another
-- absence touches as well is handed to that one. The slots are locked by id first.
create or replace function app_private.open_after_absence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  change app_public.calendar_change := app_private.closing_change(0, '{}', is_cancelling => false, is_telling => false);
begin
  perform from app_public.slot
  where slot.hospital_id = new.hospital_id and slot.absence_id = new.id
  order by slot.id
  for no key update;

  with opened as (
    update app_public.slot
    set absence_id = (
      select absence.id
      from app_public.absence
      where absence.hospital_id = new.hospital_id
        and absence.doctor_id = new.doctor_id
        and absence.during && slot.during
        and absence.status = 'active'
      limit 1)
    where slot.hospital_id = new.hospital_id and slot.absence_id = new.id
    returning slot.status)
  select count(*) filter (where opened.status not in ('blocked', 'withdrawn')) into change.opened_slots
  from opened;

  perform app_private.announce_calendar(new.hospital_id, new.doctor_id);
  perform app_private.report_change(change);
  return null;
end
$$;

comment on function app_private.open_after_absence() is 'Trigger: opens the slots that a cancelled absence had closed.';

revoke execute on function app_private.open_after_absence() from public;

create or replace trigger cancelled_absence_opens_its_slots
  after update of status on app_public.absence
  for each row when (old.status = 'active' and new.status = 'cancelled')
  execute function app_private.open_after_absence();
