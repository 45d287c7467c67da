-- Everything that the appointments of an import will touch is locked before the first one is booked, in
-- the order that every booking keeps: the calendar, patients, slots by id, days by key. From then on the
-- import waits for nobody, however long it takes, and others wait for it: no circle can close.
-- Days without slots are made real first, in stretches of a doctor's days; where doctors are very many,
-- of the whole hospital's, because each doctor is one lock more. Lapsed holds go now, together with the locks of their seats, because later their
-- slots would be locked out of order; no further hold lapses meanwhile, because the clock of this
-- transaction stands still.
-- Runs as the owner, because the locks need rights that no request role has; it writes nothing but what
-- generation and the sweeper of holds would.
create or replace function app_private.lock_imported_seats(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  most_single_doctors constant integer := 1000;
  zone text;
  today date;
  last_day date;
  missing record;
  stretch record;
  generated integer := 0;
  planned_for integer := 0;
  seats uuid[];
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select hospital.time_zone, (app_private.clock() at time zone hospital.time_zone)::date,
    (app_private.clock() at time zone hospital.time_zone)::date + hospital.booking_horizon_days
  into zone, today, last_day
  from app_public.hospital
  where hospital.id = lock_imported_seats.hospital_id;

  select array_agg(wish.doctor_id order by wish.doctor_id, wish.day) as doctor_ids,
    array_agg(wish.day order by wish.doctor_id, wish.day) as days
  into missing
  from (
    select distinct (import_row.found ->> 'doctor_id')::uuid as doctor_id,
      ((import_row.found ->> 'starts_at')::timestamptz at time zone zone)::date as day
    from app_private.import_row
    where import_row.hospital_id = lock_imported_seats.hospital_id and import_row.run_id = lock_imported_seats.run_id
      and import_row.found ? 'doctor_id' and import_row.found ? 'starts_at'
  ) as wish
  where wish.day between today and last_day
    and not exists (
      select from app_public.slot
      where slot.hospital_id = lock_imported_seats.hospital_id
        and slot.doctor_id = wish.doctor_id
        and slot.starts_at >= wish.day::timestamp at time zone zone
        and slot.starts_at < (wish.day + 1)::timestamp at time zone zone
        and slot.withdrawn_at is null);
  if cardinality(missing.days) > 0 then
    perform app_private.lock_calendar(hospital_id);
    for stretch in
      select island.doctor_id, min(island.day) as first_day, max(island.day) as last_day
      from (
        select wish.doctor_id, wish.day,
          wish.day - (row_number() over (partition by wish.doctor_id order by wish.day))::integer as island
        from (
          select distinct case when doctor_count.number <= most_single_doctors then each_wish.doctor_id end as doctor_id,
            each_wish.day
          from unnest(missing.doctor_ids, missing.days) as each_wish (doctor_id, day)
          cross join (select count(distinct doctor_id) as number from unnest(missing.doctor_ids) as doctor_id) as doctor_count
        ) as wish
      ) as island
      group by island.doctor_id, island.island
      order by island.doctor_id, first_day
    loop
      generated := generated + app_private.cut_slots(hospital_id, stretch.first_day, stretch.last_day, stretch.doctor_id);
      -- Planned for as few slots as there were before, each stretch would take longer than the last.
      if generated > 4 * planned_for + 1000 then
        analyze (skip_locked) app_public.slot;
        planned_for := generated;
      end if;
    end loop;
    if generated > planned_for + 1000 then
      analyze (skip_locked) app_public.slot;
    end if;
  end if;

  update app_private.import_row
  set found = import_row.found || jsonb_build_object('slot_id', slot.id)
  from app_public.slot
  where import_row.hospital_id = lock_imported_seats.hospital_id and import_row.run_id = lock_imported_seats.run_id
    and slot.hospital_id = lock_imported_seats.hospital_id
    and slot.doctor_id = (import_row.found ->> 'doctor_id')::uuid
    and slot.starts_at = (import_row.found ->> 'starts_at')::timestamptz
    and slot.withdrawn_at is null;

  perform from app_public.patient
  where patient.hospital_id = lock_imported_seats.hospital_id
    and patient.id in (
      select (import_row.found ->> 'patient_id')::uuid
      from app_private.import_row
      where import_row.hospital_id = lock_imported_seats.hospital_id and import_row.run_id = lock_imported_seats.run_id)
  order by patient.id
  for no key update;

  select array_agg(distinct seat.slot_id) into seats
  from app_private.import_row
  cross join lateral unnest(
    (import_row.found ->> 'slot_id')::uuid
      || case when import_row.found ? 'service_id' then app_private.needed_slots(
        lock_imported_seats.hospital_id, (import_row.found ->> 'slot_id')::uuid,
        (import_row.found ->> 'service_id')::uuid)
      end) as seat (slot_id)
  where import_row.hospital_id = lock_imported_seats.hospital_id and import_row.run_id = lock_imported_seats.run_id
    and import_row.found ? 'slot_id';
  perform app_private.expire_lapsed_holds(hospital_id, other_slot_ids => seats);
  perform app_private.lock_seats(hospital_id, seats);
end
$$;

comment on function app_private.lock_imported_seats(uuid, uuid) is
  'Finds the slots of the appointments to import, and locks all that booking them will touch.';

revoke execute on function app_private.lock_imported_seats(uuid, uuid) from public;
grant execute on function app_private.lock_imported_seats(uuid, uuid) to app_admin;
