import { afterEach, beforeEach, expect, test } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { book } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { brokenInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';

// The proof that the other tests rely on must itself be able to fail: each break is made behind the
// back of every trigger and constraint, and must be seen.

const { ownerPool } = await createDatabase();

let hospital: OpenHospital;

beforeEach(async () => {
  hospital = await openHospital(ownerPool, { horizonDays: 1 });
  await committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) }),
  );
});

afterEach(async () => {
  for (const table of [
    'waitlist_offer',
    'waitlist_entry',
    'appointment_seat',
    'appointment',
    'slot',
    'doctor_day',
    'absence',
    'holiday',
  ]) {
    await behindTheirBacks(`delete from app_public.${table} where hospital_id = $1`);
  }
});

const breaks: Record<string, { statement: string; seen: RegExp }> = {
  'a slot counts one too few': {
    statement: 'update app_public.slot set booked_count = 0 where hospital_id = $1',
    seen: /counts them wrongly/,
  },
  'a slot counts one too many': {
    statement:
      'update app_public.slot set booked_count = 1 where hospital_id = $1 and booked_count = 0',
    seen: /counts them wrongly/,
  },
  'a day counts one too few': {
    statement: 'update app_public.doctor_day set booked_count = 0 where hospital_id = $1',
    seen: /a day counts/,
  },
  'a day is missing': {
    statement: 'delete from app_public.doctor_day where hospital_id = $1',
    seen: /a day counts/,
  },
  'a seat is given back without its appointment': {
    statement:
      "update app_public.appointment set status = 'cancelled', cancelled_at = now() where hospital_id = $1",
    seen: /counts them wrongly/,
  },
  'an appointment lies outside its slot': {
    statement: `update app_public.appointment set during = tstzrange(starts_at, ends_at + interval '1 second')
      where hospital_id = $1`,
    seen: /not in its slots/,
  },
  'an appointment is of another doctor than its slot': {
    statement: `update app_public.appointment set doctor_id =
        (select id from app_public.doctor where hospital_id = $1 and id <> appointment.doctor_id)
      where hospital_id = $1`,
    seen: /not in its slots/,
  },
  'a slot that the schedule no longer has is kept for nobody': {
    statement:
      'update app_public.slot set is_retired = true where hospital_id = $1 and booked_count = 0',
    seen: /kept for nobody/,
  },
  'slots stay open in an absence': {
    statement: `insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day, during)
      select hospital_id, doctor_id, 'other', min(starts_at)::date, max(starts_at)::date, range_merge(range_agg(during))
      from app_public.slot where hospital_id = $1 group by 1, 2`,
    seen: /open in an absence/,
  },
  'slots stay open on a holiday': {
    statement: `insert into app_public.holiday (hospital_id, name, date)
      select slot.hospital_id, 'Closed', min(slot.starts_at at time zone hospital.time_zone)::date
      from app_public.slot join app_public.hospital on hospital.id = hospital_id
      where hospital_id = $1 and starts_at > now() group by 1`,
    seen: /open on a holiday/,
  },
  'a further seat is held by nobody': {
    statement: `with ended as (
        update app_public.appointment set status = 'cancelled', cancelled_at = now() where hospital_id = $1 returning *)
      insert into app_public.appointment_seat (hospital_id, appointment_id, slot_id, doctor_id, location_id)
      select hospital_id, id, slot_id, doctor_id, location_id from ended`,
    seen: /holds none/,
  },
  'an offer is open for a visit that is booked already': {
    statement: `with entry as (
        insert into app_public.waitlist_entry (hospital_id, patient_id, doctor_id, first_day, last_day, status)
        select hospital_id, patient_id, doctor_id, starts_at::date, starts_at::date, 'offered'
        from app_public.appointment where hospital_id = $1 returning *)
      insert into app_public.waitlist_offer
        (hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at)
      select hospital_id, entry.id, entry.patient_id, entry.doctor_id, slot_id, appointment.id, now()
      from entry join app_public.appointment using (hospital_id)`,
    seen: /an offer and what is held/,
  },
};

test.each(Object.entries(breaks))('%s', async (_, { statement, seen }) => {
  expect(await whatIsWrong()).toBe('');
  await behindTheirBacks(statement);
  expect(await whatIsWrong()).toMatch(seen);
});

test('two slots of a doctor at one time, and a patient in two of them', async () => {
  await ownerPool.query(
    'alter table app_public.slot drop constraint slots_of_a_doctor_never_overlap',
  );
  await ownerPool.query(
    'alter table app_public.appointment drop constraint a_patient_is_in_one_place_at_a_time',
  );
  await behindTheirBacks(
    `with twin as (
       insert into app_public.slot (hospital_id, doctor_id, location_id, during, booked_count)
       select hospital_id, doctor_id, location_id, during, 1 from app_public.slot
       where hospital_id = $1 and booked_count = 1 returning *)
     insert into app_public.appointment
       (hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_at, updated_at)
     select twin.hospital_id, twin.id, twin.doctor_id, twin.location_id, appointment.patient_id,
       twin.during, 'scheduled', 'import', now(), now()
     from twin, app_public.appointment where appointment.hospital_id = $1`,
  );
  await behindTheirBacks(
    'update app_public.doctor_day set booked_count = 2 where hospital_id = $1',
  );
  const complaint = await whatIsWrong();
  expect(complaint).toMatch(/slots of a doctor overlap/);
  expect(complaint).toMatch(/a patient is in two places/);
});

test('a slot over its capacity', async () => {
  await ownerPool.query(
    'alter table app_public.slot drop constraint a_slot_never_holds_more_than_its_capacity',
  );
  await committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, 1), patientId: nth(hospital.patientIds, 1) }),
  );
  await behindTheirBacks(
    `update app_public.appointment set slot_id = (
       select min(slot_id::text)::uuid from app_public.appointment where hospital_id = $1)
     where hospital_id = $1`,
  );
  await behindTheirBacks(
    `update app_public.slot set booked_count = (
       select count(*) from app_public.appointment where slot_id = slot.id) where hospital_id = $1`,
  );
  expect(await whatIsWrong()).toMatch(/more appointments than its capacity/);
});

async function whatIsWrong(): Promise<string> {
  return Object.keys(await brokenInvariants(ownerPool)).join(', ');
}

async function behindTheirBacks(statement: string): Promise<void> {
  const client = await ownerPool.connect();
  try {
    await client.query('begin');
    await client.query('set local session_replication_role = replica');
    await client.query(statement, [hospital.id]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
