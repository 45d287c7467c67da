import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect } from 'vitest';
import { as, asOwner, become } from '../helpers/actors.ts';
import { book, one, type Wish } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createAbsence, createHoliday } from '../helpers/closures.ts';
import { insert, type OpenHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

/** One thing that stands in the way of a booking, and what is then said. */
export type Obstacle = {
  title: string;
  rule: number;
  code: string;
  scenario: string;
  /** Raises it, as the owner; returns the wish that it now stands in the way of, and the details. */
  raise(
    db: ClientBase,
    hospital: OpenHospital,
    wish: Wish,
  ): Promise<{ wish: Wish; details: Record<string, unknown> }>;
};

/** A wish that nothing stands in the way of: the first patient, the first slot of tomorrow. */
export function wishIn(hospital: OpenHospital): Wish {
  return {
    slotId: nth(hospital.slotIds, 0),
    patientId: nth(hospital.patientIds, 0),
    serviceId: hospital.serviceId,
  };
}

/** All obstacles, in the order in which their rules are judged. */
export const obstacles: readonly Obstacle[] = [
  {
    title: 'an unknown slot',
    rule: 0,
    code: 'SK404',
    scenario: 'slot_not_found',
    async raise(_, __, wish) {
      const slotId = randomUUID();
      return { wish: { ...wish, slotId }, details: { slot_id: slotId } };
    },
  },
  {
    title: 'an unknown patient',
    rule: 1,
    code: 'SK404',
    scenario: 'patient_not_found',
    async raise(_, __, wish) {
      const patientId = randomUUID();
      return { wish: { ...wish, patientId }, details: { patient_id: patientId } };
    },
  },
  {
    title: 'a patient who is no longer one',
    rule: 2,
    code: 'SK422',
    scenario: 'patient_inactive',
    async raise(db, _, wish) {
      await withoutTriggers(db, () =>
        db.query('update app_public.patient set is_active = false where id = $1', [wish.patientId]),
      );
      return { wish, details: { patient_id: wish.patientId } };
    },
  },
  {
    title: 'a blocked patient',
    rule: 2,
    code: 'SK422',
    scenario: 'patient_blocked',
    async raise(db, _, wish) {
      await db.query(
        `update app_public.patient
         set status = 'blocked', blocked_at = now(), blocked_reason = 'three no-shows' where id = $1`,
        [wish.patientId],
      );
      return { wish, details: { patient_id: wish.patientId, reason: 'three no-shows' } };
    },
  },
  {
    title: 'another appointment of the patient at this time',
    rule: 3,
    code: 'SK409',
    scenario: 'patient_double_booked',
    async raise(db, hospital, wish) {
      await become(db, hospital.receptionist);
      const other = await book(db, {
        slotId: nth(hospital.otherSlotIds, 0),
        patientId: wish.patientId,
      });
      await asOwner(db);
      return { wish, details: { appointment_id: other.id } };
    },
  },
  {
    title: 'a doctor who is gone',
    rule: 4,
    code: 'SK404',
    scenario: 'doctor_not_found',
    async raise(db, hospital, wish) {
      await withoutTriggers(db, () =>
        db.query('delete from app_public.doctor where id = $1', [hospital.doctorIds[0]]),
      );
      return { wish, details: {} };
    },
  },
  {
    title: 'a doctor who takes nobody at present',
    rule: 5,
    code: 'SK422',
    scenario: 'doctor_unavailable',
    async raise(db, hospital, wish) {
      await withoutTriggers(db, () =>
        db.query('update app_public.doctor set is_available = false where id = $1', [
          hospital.doctorIds[0],
        ]),
      );
      return { wish, details: {} };
    },
  },
  {
    title: 'a doctor who left',
    rule: 6,
    code: 'SK422',
    scenario: 'doctor_inactive',
    async raise(db, hospital, wish) {
      await withoutTriggers(db, () =>
        db.query('update app_public.doctor set is_active = false where id = $1', [
          hospital.doctorIds[0],
        ]),
      );
      return { wish, details: {} };
    },
  },
  {
    title: 'a slot that begins this very moment',
    rule: 7,
    code: 'SK422',
    scenario: 'slot_in_past',
    async raise(db, _, wish) {
      const startsAt = await startOf(db, wish.slotId);
      await setClock(db, startsAt);
      return { wish, details: { starts_at: anInstant, now: anInstant } };
    },
  },
  {
    title: 'a slot of a day too far ahead',
    rule: 8,
    code: 'SK422',
    scenario: 'beyond_booking_horizon',
    async raise(db, hospital, wish) {
      await db.query('update app_public.hospital set booking_horizon_days = 1 where id = $1', [
        hospital.id,
      ]);
      const slotId = nth(hospital.slotIds, 14);
      return { wish: { ...wish, slotId }, details: { last_day: await tomorrow(db, hospital) } };
    },
  },
  {
    title: 'a holiday',
    rule: 9,
    code: 'SK422',
    scenario: 'hospital_holiday',
    async raise(db, hospital, wish) {
      const day = await tomorrow(db, hospital);
      await createHoliday(await as(db, hospital.admin), { name: 'Founding Day', date: day });
      await asOwner(db);
      return { wish, details: { day, holiday: 'Founding Day' } };
    },
  },
  {
    title: 'an absence of the doctor',
    rule: 10,
    code: 'SK422',
    scenario: 'doctor_absent',
    async raise(db, hospital, wish) {
      const firstDay = await tomorrow(db, hospital);
      await createAbsence(await as(db, hospital.doctor), {
        doctorId: hospital.doctorIds[0],
        firstDay,
        startTime: '09:00',
        endTime: '09:30',
      });
      await asOwner(db);
      return { wish, details: { starts_at: anInstant, time_zone: hospital.timeZone } };
    },
  },
  {
    title: 'a schedule that no longer holds',
    rule: 11,
    code: 'SK422',
    scenario: 'outside_schedule',
    async raise(db, hospital, wish) {
      await db.query('update app_public.schedule set is_active = false where doctor_id = $1', [
        hospital.doctorIds[0],
      ]);
      return { wish, details: { time_zone: hospital.timeZone } };
    },
  },
  {
    title: 'a break that now covers the slot',
    rule: 12,
    code: 'SK422',
    scenario: 'during_break',
    async raise(db, hospital, wish) {
      await db.query(
        "update app_public.schedule set break_start = '09:29', break_end = '09:45' where doctor_id = $1",
        [hospital.doctorIds[0]],
      );
      return { wish, details: { time_zone: hospital.timeZone } };
    },
  },
  {
    title: 'a slot that is no longer offered',
    rule: 13,
    code: 'SK409',
    scenario: 'slot_withdrawn',
    async raise(db, _, wish) {
      await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [
        wish.slotId,
      ]);
      return { wish, details: {} };
    },
  },
  {
    title: 'a slot that is kept free by hand',
    rule: 13,
    code: 'SK409',
    scenario: 'slot_blocked',
    async raise(db, _, wish) {
      await db.query(
        "update app_public.slot set blocked_at = now(), blocked_reason = 'cleaning' where id = $1",
        [wish.slotId],
      );
      return { wish, details: { reason: 'cleaning' } };
    },
  },
  {
    title: 'a slot that is full',
    rule: 13,
    code: 'SK409',
    scenario: 'slot_booked',
    async raise(db, hospital, wish) {
      await become(db, hospital.receptionist);
      await book(db, { slotId: wish.slotId, patientId: nth(hospital.patientIds, 3) });
      await asOwner(db);
      return { wish, details: { capacity: 1 } };
    },
  },
  {
    title: 'an unknown service',
    rule: 13,
    code: 'SK404',
    scenario: 'service_not_found',
    async raise(_, __, wish) {
      const serviceId = randomUUID();
      return { wish: { ...wish, serviceId }, details: { service_id: serviceId } };
    },
  },
  {
    title: 'a service that is not offered any more',
    rule: 13,
    code: 'SK404',
    scenario: 'service_not_found',
    async raise(db, hospital, wish) {
      await db.query('update app_public.service set is_active = false where id = $1', [
        hospital.serviceId,
      ]);
      return { wish, details: { service_id: hospital.serviceId } };
    },
  },
  {
    title: 'a visit longer than all slots in a row',
    rule: 13,
    code: 'SK422',
    scenario: 'time_outside_slot',
    async raise(db, hospital, wish) {
      const serviceId = await insert(db, 'service', {
        hospital_id: hospital.id,
        name: 'Long visit',
        duration: '7 hours',
      });
      return { wish: { ...wish, serviceId }, details: { ends_at: anInstant } };
    },
  },
  {
    title: 'a full day of the doctor',
    rule: 14,
    code: 'SK409',
    scenario: 'daily_limit_reached',
    async raise(db, hospital, wish) {
      await become(db, hospital.receptionist);
      await book(db, { slotId: nth(hospital.slotIds, 5), patientId: nth(hospital.patientIds, 2) });
      await asOwner(db);
      await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
        hospital.doctorIds[0],
      ]);
      return { wish, details: { max_patients: 1, day: await tomorrow(db, hospital) } };
    },
  },
];

const anInstant: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d/);

async function startOf(db: ClientBase, slotId: string): Promise<string> {
  const { starts_at } = await one<{ starts_at: string }>(
    db,
    'select starts_at::text from app_public.slot where id = $1',
    [slotId],
  );
  return starts_at;
}

async function tomorrow(db: ClientBase, hospital: OpenHospital): Promise<string> {
  const { day } = await one<{ day: string }>(
    db,
    'select ((app_private.clock() at time zone $1)::date + 1)::text as day',
    [hospital.timeZone],
  );
  return day;
}

/** What no client can do: a foreign key, or the wall around appointments ahead, is a trigger, and only a superuser switches triggers off. */
async function withoutTriggers(db: ClientBase, work: () => Promise<unknown>): Promise<void> {
  await db.query('set local session_replication_role = replica');
  await work();
  await db.query('set local session_replication_role = origin');
}
