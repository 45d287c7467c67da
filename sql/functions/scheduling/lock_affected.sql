-- Locks what a closure that cancels will change, so that nothing slips through: the appointments first,
-- while nothing else is held but the calendar, then all slots concerned by id, then the days. A booking
-- that was under way when the appointments were collected has either got its seat by the time the slots
-- are ours, and is found by the second look, or finds the slots closed. For such a newcomer nobody is
-- waited for: whoever holds it may be waiting for one of our slots. If it is not to be had at once, or
-- sits in a slot that was not locked in its turn, the savepoint lets all of it go and the collecting
-- starts again, waiting for the newcomer in the right order now.
create or replace function app_private.lock_affected(hospital_id uuid, doctor_id uuid, during tstzrange)
returns void
language plpgsql
as $$
declare
  attempts integer := 0;
  appointment_ids uuid[];
  newcomer_ids uuid[];
  taken_ids uuid[];
  slot_ids uuid[];
begin
  loop
    attempts := attempts + 1;
    begin
      appointment_ids := array(
        select affected.appointment_id
        from app_private.find_affected(
          lock_affected.hospital_id, lock_affected.doctor_id, lock_affected.during, with_alternatives => false) as affected);
      perform from app_public.appointment
      where appointment.hospital_id = lock_affected.hospital_id and appointment.id = any (appointment_ids)
      order by appointment.id
      for no key update;

      slot_ids := app_private.seats_of(lock_affected.hospital_id, appointment_ids) || array(
        select slot.id
        from app_public.slot
        where slot.hospital_id = lock_affected.hospital_id
          and slot.doctor_id = lock_affected.doctor_id
          and slot.during && lock_affected.during
          and slot.withdrawn_at is null);
      perform from app_public.slot
      where slot.hospital_id = lock_affected.hospital_id and slot.id = any (slot_ids)
      order by slot.id
      for no key update;

      newcomer_ids := array(
        select affected.appointment_id
        from app_private.find_affected(
          lock_affected.hospital_id, lock_affected.doctor_id, lock_affected.during, with_alternatives => false) as affected
        where affected.appointment_id <> all (appointment_ids));
      taken_ids := array(
        select appointment.id
        from app_public.appointment
        where appointment.hospital_id = lock_affected.hospital_id and appointment.id = any (newcomer_ids)
        order by appointment.id
        for no key update skip locked);
      if cardinality(taken_ids) < cardinality(newcomer_ids)
        or not app_private.seats_of(lock_affected.hospital_id, newcomer_ids) <@ slot_ids
      then
        perform app_private.refuse('try_again');
      end if;

      perform from app_public.doctor_day
      where doctor_day.hospital_id = lock_affected.hospital_id
        and doctor_day.doctor_id = lock_affected.doctor_id
        and doctor_day.day in (
          select (slot.starts_at at time zone hospital.time_zone)::date
          from app_public.slot
          join app_public.hospital on hospital.id = lock_affected.hospital_id
          where slot.hospital_id = lock_affected.hospital_id
            and slot.id = any (app_private.seats_of(lock_affected.hospital_id, appointment_ids || newcomer_ids)))
      order by doctor_day.day
      for no key update;
      return;
    exception when sqlstate 'SK409' then
      if attempts >= 10 then
        raise;
      end if;
    end;
  end loop;
end
$$;

comment on function app_private.lock_affected(uuid, uuid, tstzrange) is
  'Locks a doctor''s appointments within a time, all slots concerned and their days, in the order that every booking keeps.';

revoke execute on function app_private.lock_affected(uuid, uuid, tstzrange) from public;
