-- Lets lapsed holds expire: all of a hospital (the sweeper's broom, every minute), or only those that
-- stand in the way of a wish, the holds with the slot's doctor and of the patient: whoever needs the
-- seat next does it. It acts as the worker, because it is the system that lets a hold lapse and not
-- the patient who comes next; it runs as the owner, because the locks need rights that neither has.
-- Holds that somebody is just confirming or cancelling are skipped: nobody waits for an appointment
-- while holding a patient. All slots concerned, also the others that the wish takes or leaves, are locked
-- in order before the first one changes.
create or replace function app_private.expire_lapsed_holds(
  hospital_id uuid, slot_id uuid default null, patient_id uuid default null,
  other_slot_ids uuid[] default null)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  lapsed record;
  further uuid[];
  expired integer;
begin
  select array_agg(hold.id) as ids, array_agg(hold.slot_id) as slot_ids into lapsed
  from (
    select appointment.id, appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = expire_lapsed_holds.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
      and (expire_lapsed_holds.slot_id is null
        or appointment.patient_id = expire_lapsed_holds.patient_id
        or appointment.doctor_id = (
          select slot.doctor_id from app_public.slot
          where slot.hospital_id = expire_lapsed_holds.hospital_id and slot.id = expire_lapsed_holds.slot_id))
    order by appointment.held_until -- so that the index of holds is read, whatever the statistics say
    for no key update skip locked
  ) as hold;
  if lapsed.ids is null then
    return 0;
  end if;

  select array_agg(appointment_seat.slot_id) into further
  from app_public.appointment_seat
  where appointment_seat.hospital_id = expire_lapsed_holds.hospital_id
    and appointment_seat.appointment_id = any (lapsed.ids);
  perform app_private.lock_seats(
    hospital_id, array_remove(lapsed.slot_ids || further || slot_id || other_slot_ids, null));
  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  update app_public.appointment
  set status = 'expired'
  where appointment.hospital_id = expire_lapsed_holds.hospital_id and appointment.id = any (lapsed.ids);
  get diagnostics expired = row_count;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return expired;
end
$$;

comment on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid[]) is
  'Expires the lapsed holds of a hospital, or only those in the way of a slot and a patient, and frees their seats; returns how many.';

revoke execute on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid[]) from public;
grant execute on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid[]) to app_worker;
