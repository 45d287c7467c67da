-- Removes slots of past years that nothing refers to any more, one batch a call; see
-- archive_appointments for why it can be called again, and by whom it is not waited for. A slot that an
-- appointment, a move, a further seat or an offer still names stays. Whoever is just coming to refer to
-- one has its row locked, and it is skipped; whoever comes later finds no slot.
-- A slot tells of working hours and of nobody; the log, which never heard of its making, gets one
-- entry a batch. Definer, because nobody may delete slots.
create or replace function app_private.remove_past_slots(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  boundary timestamptz := app_private.retention_boundary(hospital_id);
  due uuid[];
begin
  select array_agg(unused.id) into due
  from (
    select of_doctor.id
    from app_public.doctor
    cross join lateral (
      select slot.id
      from app_public.slot
      where slot.hospital_id = remove_past_slots.hospital_id
        and slot.doctor_id = doctor.id
        and slot.starts_at < boundary
        and slot.booked_count = 0
        and not exists (
          select from app_public.appointment as visit
          where visit.hospital_id = remove_past_slots.hospital_id and visit.slot_id = slot.id)
        and not exists (
          select from app_public.appointment as moved
          where moved.hospital_id = remove_past_slots.hospital_id and moved.rescheduled_from = slot.id)
        and not exists (
          select from app_public.appointment_move as departure
          where departure.hospital_id = remove_past_slots.hospital_id and departure.from_slot_id = slot.id)
        and not exists (
          select from app_public.appointment_move as arrival
          where arrival.hospital_id = remove_past_slots.hospital_id and arrival.to_slot_id = slot.id)
        and not exists (
          select from app_public.appointment_seat as seat
          where seat.hospital_id = remove_past_slots.hospital_id and seat.slot_id = slot.id)
        and not exists (
          select from app_public.waitlist_offer as offer
          where offer.hospital_id = remove_past_slots.hospital_id and offer.slot_id = slot.id)
      order by slot.starts_at
      limit most
      for update of slot skip locked
    ) as of_doctor
    where doctor.hospital_id = remove_past_slots.hospital_id
    limit most
  ) as unused;
  if due is null then
    return 0;
  end if;

  perform set_config('slotkeeper.housekeeping', 'on', true);
  delete from app_public.slot
  where slot.hospital_id = remove_past_slots.hospital_id and slot.id = any (due);
  perform set_config('slotkeeper.housekeeping', '', true);

  perform app_private.record_batch(hospital_id, 'slot', 'delete',
    jsonb_build_object('removed_count', cardinality(due), 'starting_before', boundary));
  return cardinality(due);
end
$$;

comment on function app_private.remove_past_slots(uuid, integer) is
  'Removes slots of a hospital''s past years that nothing refers to, at most so many, and returns how many.';

revoke execute on function app_private.remove_past_slots(uuid, integer) from public;
grant execute on function app_private.remove_past_slots(uuid, integer) to app_worker;
