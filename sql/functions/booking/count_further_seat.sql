-- A further seat counts in its slot like the first one: by one guarded update when it is taken, and
-- back when it is given up, and is told outside. Only the triggers of appointments write these rows;
-- a repair may give up those of visits that have ended.
create or replace function app_private.count_further_seat() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  seat app_public.appointment_seat := coalesce(new, old);
begin
  if tg_op = 'UPDATE'
    or pg_trigger_depth() = 1 and (tg_op = 'INSERT' or coalesce(current_setting('slotkeeper.repair', true), '') = '')
  then
    perform app_private.refuse('counter_is_derived', jsonb_build_object('table', tg_argv[0]));
  end if;
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (seat.hospital_id, 'slots', seat.doctor_id::text,
    jsonb_build_object('doctor_id', seat.doctor_id, 'slot_ids', jsonb_build_array(seat.slot_id)));
  if tg_op = 'DELETE' then
    perform app_private.release_seat(old.hospital_id, old.slot_id, counts_day => false);
    return old;
  end if;

  update app_public.slot
  set booked_count = booked_count + 1
  where slot.hospital_id = new.hospital_id
    and slot.id = new.slot_id
    and slot.status = 'available';
  if not found then
    perform app_private.refuse('slot_booked', jsonb_build_object('slot_id', new.slot_id));
  end if;
  return new;
end
$$;

comment on function app_private.count_further_seat() is 'Trigger: counts a further seat in its slot, and back; refuses a hand that writes one.';

revoke execute on function app_private.count_further_seat() from public;

create or replace trigger further_seat_is_counted
  before insert or update or delete on app_public.appointment_seat
  for each row when (pg_trigger_depth() > 0
    or current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = '')
  execute function app_private.count_further_seat('appointment_seat');
