import type pg from 'pg';

/**
 * The yardstick of booking: copies of `slot` and `appointment` with all their columns, checks,
 * generated columns, indexes, exclusion constraints, foreign keys and fill factors, but without
 * triggers, row-level security, rules or log; and a function that does the bare pair, `update slot`
 * and `insert appointment`. The columns that our triggers fill are filled from the arguments and
 * from the slot.
 */
export async function createBareTables(owner: pg.Pool): Promise<void> {
  await owner.query(`
    drop schema if exists bare cascade;
    create schema bare;
    create table bare.slot (like app_public.slot including all) with (fillfactor = 80);
    create table bare.appointment (like app_public.appointment including all) with (fillfactor = 90);`);
  await owner.query(`
    do $$
    declare
      foreign_key record;
    begin
      for foreign_key in
        select conrelid::regclass::text as source, conname as name, pg_get_constraintdef(oid) as definition
        from pg_constraint
        where contype = 'f' and conrelid in ('app_public.slot'::regclass, 'app_public.appointment'::regclass)
      loop
        execute format('alter table %s add constraint %I %s',
          replace(foreign_key.source, 'app_public.', 'bare.'), foreign_key.name,
          replace(foreign_key.definition, 'REFERENCES app_public.slot(', 'REFERENCES bare.slot('));
      end loop;
    end
    $$;
    create function bare.book(
      hospital_id uuid, slot_id uuid, patient_id uuid, account_id uuid, idempotency_key uuid)
    returns uuid
    language plpgsql
    as $$
    declare
      seat record;
      booked uuid;
    begin
      update bare.slot set booked_count = booked_count + 1
      where slot.hospital_id = book.hospital_id and slot.id = book.slot_id
        and slot.booked_count < slot.capacity
      returning slot.doctor_id, slot.location_id, slot.during into strict seat;

      insert into bare.appointment (
        hospital_id, slot_id, doctor_id, patient_id, location_id, during, status, source,
        created_by, created_at, updated_at, idempotency_key)
      values (
        hospital_id, slot_id, seat.doctor_id, patient_id, seat.location_id, seat.during, 'scheduled',
        'staff', account_id, now(), now(), idempotency_key)
      returning id into booked;
      return booked;
    end
    $$;`);
}

/** Copies the slots of a hospital into the bare table, in the order of the original. */
export async function copySlotsToBare(owner: pg.Pool, hospitalId: string): Promise<void> {
  await owner.query(
    `insert into bare.slot (hospital_id, id, doctor_id, location_id, schedule_id, during, capacity)
     select hospital_id, id, doctor_id, location_id, schedule_id, during, capacity
     from app_public.slot where hospital_id = $1 order by doctor_id, starts_at`,
    [hospitalId],
  );
  await owner.query('vacuum analyze bare.slot');
}
