-- What is to be said of the further slots of a visit that one slot does not hold: whether there are
-- enough of them in a row, and whether each can be had. One broken slot breaks the rule for all.
create or replace function app_private.judge_further_slots(
  hospital_id uuid, slot_id uuid, service_id uuid, wanted tstzrange)
returns table (
  fits boolean, are_open boolean, are_attended boolean, are_offered boolean, are_unblocked boolean, have_room boolean)
language plpgsql stable rows 1
as $$
declare
  needed uuid[] := app_private.needed_slots(hospital_id, slot_id, service_id, wanted);
begin
  return query
  select
    needed is not null,
    coalesce(bool_and(slot.holiday_id is null), true),
    coalesce(bool_and(slot.absence_id is null), true),
    coalesce(bool_and(not slot.is_retired), true),
    coalesce(bool_and(slot.blocked_at is null), true),
    coalesce(bool_and(
      slot.booked_count < slot.capacity
      or exists (
        select from app_private.lapsed_holds(judge_further_slots.hospital_id, slot.doctor_id) as hold
        where hold.slot_id = slot.id)), true)
  from app_public.slot
  where slot.hospital_id = judge_further_slots.hospital_id and slot.id = any (needed);
end
$$;

comment on function app_private.judge_further_slots(uuid, uuid, uuid, tstzrange) is
  'What the rules say of the further slots that a visit needs, all together.';

revoke execute on function app_private.judge_further_slots(uuid, uuid, uuid, tstzrange) from public;
grant execute on function app_private.judge_further_slots(uuid, uuid, uuid, tstzrange)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
