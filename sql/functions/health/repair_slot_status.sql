-- A generated column is computed whenever its row is written. It changes nothing else, and a booking waits for it
-- no longer than for another booking.
-- Definer, because nobody may write slots so.
create or replace function app_private.repair_slot_status(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  before app_public.slot_status;
  after app_public.slot_status;
begin
  select slot.status into before
  from app_public.slot
  where slot.hospital_id = finding.hospital_id and slot.id = finding.entity_id
  for no key update;
  update app_public.slot
  set capacity = slot.capacity
  where slot.hospital_id = finding.hospital_id and slot.id = finding.entity_id
  returning slot.status into after;
  if before is not distinct from after then
    return case when not exists (
        select from checks.full_slot_not_marked as found
        where found.hospital_id = finding.hospital_id and found.entity_id = finding.entity_id)
      then format('Nothing to do: the slot is %s.', coalesce(after::text, 'gone')) end;
  end if;
  perform app_private.record_repair(finding.hospital_id, 'slot', finding.entity_id,
    jsonb_build_object('status', before), jsonb_build_object('status', after));
  return format('The slot was %s and is %s.', before, after);
end
$$;

comment on function app_private.repair_slot_status(app_public.finding) is
  'Writes a slot anew, so that its status is computed; null where that does not help.';

revoke execute on function app_private.repair_slot_status(app_public.finding) from public;
