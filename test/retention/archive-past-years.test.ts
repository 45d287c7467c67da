import { describe, expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { one, setStatus } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, insert } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { idsIn, openedLongAgo, run, type Step } from './long-ago.ts';

const { ownerPool } = await createDatabase();

const inHospital = 'where hospital_id = $1';

test('what ended in a past year moves, what never ended or is of a kept year stays', () =>
  rolledBack(ownerPool, async (db) => {
    const old = await openedLongAgo(db, '2023-06-12');
    const kept = await openedLongAgo(db, '2024-06-12');
    await setClock(db, '2025-11-21T12:00:00Z');
    const wereThere = await one<{ rows: unknown }>(
      db,
      `select jsonb_object_agg(id, to_jsonb(appointment) - array[
         'during', 'held_until', 'idempotency_key', 'request_fingerprint', 'holds_seat']) as rows
       from app_public.appointment ${inHospital} and id <> $2`,
      [old.id, old.stuck.id],
    );
    await asWorker(db);
    expect(await run(db, 'archive_appointments', old.id)).toBe(5);
    expect(await run(db, 'archive_appointments', kept.id)).toBe(0);
    await asOwner(db);
    expect(await idsIn(db, 'appointment', old.id)).toEqual([old.stuck.id]);
    expect(await idsIn(db, 'appointment', kept.id)).toHaveLength(6);
    const areThere = await one<{ rows: unknown }>(
      db,
      `select jsonb_object_agg(id, to_jsonb(appointment_archive) - array[
         'moves', 'waitlist_offer', 'stage_alerts', 'occurrence_number', 'archived_at']) as rows
       from app_public.appointment_archive ${inHospital}`,
      [old.id],
    );
    expect(areThere).toEqual(wereThere);
  }));

test('moves, the number in a series and the offer of the waitlist go along', () =>
  rolledBack(ownerPool, async (db) => {
    const { id, ended, slotIds, doctorIds, patientIds, receptionist } = await openedLongAgo(
      db,
      '2020-02-29',
    );
    const common = { hospital_id: id, doctor_id: doctorIds[0], patient_id: patientIds[0] };
    const seriesId = await insert(db, 'appointment_series', {
      ...common,
      first_starts_at: ended.completed.starts_at,
      every_days: 7,
      occurrence_count: 3,
      is_all_or_nothing: false,
      created_at: '2020-02-01',
    });
    // By a hand that the table would stop.
    await db.query('alter table app_public.appointment disable trigger user');
    await db.query('update app_public.appointment set series_id = $2 where id = $1', [
      ended.completed.id,
      seriesId,
    ]);
    await db.query('alter table app_public.appointment enable trigger user');
    await db.query(
      `insert into app_public.series_occurrence (hospital_id, series_id, number, patient_id, doctor_id, starts_at, appointment_id, scenario)
       values ($1, $2, 2, $3, $4, $5, $6, null), ($1, $2, 3, $3, $4, $5, null, 'slot_booked')`,
      [id, seriesId, patientIds[0], doctorIds[0], ended.completed.starts_at, ended.completed.id],
    );
    const entryId = await insert(db, 'waitlist_entry', {
      hospital_id: id,
      patient_id: patientIds[0],
      doctor_id: doctorIds[0],
      first_day: '2020-03-01',
      last_day: '2020-03-09',
      status: 'booked',
      ended_at: '2020-02-29',
    });
    await db.query('alter table app_public.waitlist_offer disable trigger user');
    const offerId = await insert(db, 'waitlist_offer', {
      ...common,
      entry_id: entryId,
      slot_id: slotIds[0],
      appointment_id: ended.completed.id,
      outcome: 'accepted',
      offered_at: '2020-02-28',
      decided_at: '2020-02-29',
    });
    await setClock(db, '2025-11-21T12:00:00Z');
    await run(db, 'archive_appointments', id);

    const archived = (appointmentId: string) =>
      one<Record<string, unknown>>(
        db,
        'select * from app_public.appointment_archive where id = $1',
        [appointmentId],
      );
    expect(await archived(ended.moved.id)).toMatchObject({
      reason: 'a cough',
      rescheduled_from: slotIds[4],
      slot_id: slotIds[5],
      series_id: null,
      waitlist_offer: null,
      moves: [
        {
          doctor_id: doctorIds[0],
          from_slot_id: slotIds[4],
          from_starts_at: expect.stringMatching(/^2020-03-01T/),
          to_slot_id: slotIds[5],
          to_starts_at: expect.stringMatching(/^2020-03-01T/),
          reason: 'the bus is late',
          moved_by: receptionist.accountId,
        },
      ],
    });
    expect(await archived(ended.completed.id)).toMatchObject({
      series_id: seriesId,
      occurrence_number: 2,
      moves: [],
      waitlist_offer: {
        id: offerId,
        entry_id: entryId,
        outcome: 'accepted',
        slot_id: slotIds[0],
      },
    });
    const { rows } = await db.query(
      'select number from app_public.series_occurrence where hospital_id = $1',
      [id],
    );
    expect(rows).toEqual([{ number: 3 }]);
  }));

test('slots of past years that nothing names any more go, and so do days that count nothing', () =>
  rolledBack(ownerPool, async (db) => {
    const { id, stuck, slotIds, doctorIds } = await openedLongAgo(db, '2023-12-29');
    // The visit that never ended came from another slot, which is part of its history.
    await db.query('update app_public.appointment set slot_id = $2 where id = $1', [
      stuck.id,
      slotIds[7],
    ]);
    await setClock(db, '2024-12-31T12:00:00Z');
    expect(await run(db, 'remove_past_slots', id)).toBe(0);
    expect(await run(db, 'remove_past_days', id)).toBe(0);

    await setClock(db, '2025-01-02T00:00:00Z');
    const slots = () => idsOf("select id from app_public.slot where hospital_id = '{id}'");
    const idsOf = async (query: string) =>
      (await db.query<{ id: string }>(query.replace('{id}', id))).rows.map((row) => row.id);
    // What ended is still among the appointments, and holds its slots.
    await run(db, 'remove_past_slots', id);
    expect((await slots()).sort()).toEqual(slotIds.slice(0, 8).sort());
    await run(db, 'archive_appointments', id);
    await run(db, 'remove_past_slots', id);
    expect((await slots()).sort()).toEqual([slotIds[6], slotIds[7]].sort());

    expect(await run(db, 'remove_past_days', id)).toBe(0);
    await setStatus(db, stuck.id, 'no_show');
    expect(await run(db, 'remove_past_days', id)).toBe(1);
    const { rows } = await db.query(`select from app_public.doctor_day ${inHospital}`, [id]);
    expect(rows).toHaveLength(0);
    await run(db, 'archive_appointments', id);
    await run(db, 'remove_past_slots', id);
    expect(await slots()).toEqual([]);
    expect(await idsIn(db, 'appointment_archive', id)).toHaveLength(6);
    expect(doctorIds).toHaveLength(2);
  }));

test('slots, moves and offers that something else still names stay', () =>
  rolledBack(ownerPool, async (db) => {
    const { id, stuck, slotIds, doctorIds, locationIds, patientIds } = await openedLongAgo(
      db,
      '2022-05-05',
    );
    const entry = await insert(db, 'waitlist_entry', {
      hospital_id: id,
      patient_id: patientIds[0],
      doctor_id: doctorIds[0],
      first_day: '2022-05-05',
      last_day: '2022-05-09',
    });
    await db.query('alter table app_public.waitlist_offer disable trigger user');
    await insert(db, 'waitlist_offer', {
      hospital_id: id,
      patient_id: patientIds[0],
      doctor_id: doctorIds[0],
      entry_id: entry,
      slot_id: slotIds[8],
      appointment_id: stuck.id,
      offered_at: '2022-05-05',
    });
    await db.query('alter table app_public.appointment_seat disable trigger user');
    await db.query(
      `insert into app_public.appointment_seat (hospital_id, appointment_id, slot_id, doctor_id, location_id)
       values ($1, $2, $3, $4, $5)`,
      [id, stuck.id, slotIds[9], doctorIds[0], locationIds[0]],
    );
    await db.query(
      'alter table app_public.appointment_move disable trigger appointment_move_is_witnessed',
    );
    await db.query(
      `insert into app_public.appointment_move (hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, moved_at)
       values ($1, $2, $3, $4, $5, $6, '2022-05-05')`,
      [id, stuck.id, patientIds[0], doctorIds[0], slotIds[10], slotIds[11]],
    );
    await setClock(db, '2025-01-02T00:00:00Z');
    await run(db, 'archive_appointments', id);
    await run(db, 'remove_past_slots', id);
    const { rows } = await db.query<{ id: string }>(
      `select id from app_public.slot ${inHospital} order by starts_at`,
      [id],
    );
    expect(rows.map((row) => row.id)).toEqual([6, 8, 9, 10, 11].map((index) => slotIds[index]));
  }));

describe('in batches', () => {
  test.each<[Step, number]>([
    ['archive_appointments', 5],
    ['remove_past_slots', 57],
    ['remove_past_days', 1],
  ])(
    '%s does at most what it is asked to, goes on where it was, and then does nothing',
    (step, due) =>
      rolledBack(ownerPool, async (db) => {
        const { id } = await openedLongAgo(db, '2023-06-12');
        await setClock(db, '2025-11-21T12:00:00Z');
        if (step !== 'archive_appointments') {
          await db.query(
            `update app_public.appointment set status = 'no_show' ${inHospital} and holds_seat`,
            [id],
          );
          await run(db, 'archive_appointments', id);
        }
        const most = 2;
        let total = 0;
        for (;;) {
          const count = await run(db, step, id, most);
          expect(count).toBeLessThanOrEqual(most);
          total += count;
          if (count < most) break;
        }
        expect(total).toBeGreaterThanOrEqual(due);
        expect(await run(db, step, id)).toBe(0);
      }),
  );

  test('the log has one entry a batch, without what it says of anybody', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await openedLongAgo(db, '2023-06-12');
      await setClock(db, '2025-11-21T12:00:00Z');
      const { last } = await one<{ last: string }>(
        db,
        `select max(id) as last from app_public.audit_entry ${inHospital}`,
        [id],
      );
      await asWorker(db);
      await run(db, 'archive_appointments', id, 3);
      await run(db, 'archive_appointments', id, 3);
      await run(db, 'remove_past_slots', id);
      await run(db, 'remove_past_slots', id);
      await run(db, 'remove_past_days', id);
      await asOwner(db);
      const { rows } = await db.query(
        `select table_name, record_id, operation, old_state, new_state, actor_role
         from app_public.audit_entry ${inHospital} and id > $2 order by id`,
        [id, last],
      );
      const archived = (archived_count: number) => ({
        table_name: 'appointment_archive',
        record_id: id,
        operation: 'insert',
        old_state: null,
        new_state: {
          archived_count,
          archived_at: expect.any(String),
          starting_before: '2023-12-31T18:30:00+00:00',
        },
        actor_role: 'worker',
      });
      expect(rows).toEqual([
        archived(3),
        archived(2),
        {
          table_name: 'slot',
          record_id: id,
          operation: 'delete',
          old_state: {
            removed_count: expect.any(Number),
            starting_before: '2023-12-31T18:30:00+00:00',
          },
          new_state: null,
          actor_role: 'worker',
        },
      ]);
    }));

  test('what the log last said of an appointment is what stands in the archive', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await openedLongAgo(db, '2023-06-12');
      await setClock(db, '2025-11-21T12:00:00Z');
      await run(db, 'archive_appointments', id);
      const { rows } = await db.query(
        `select archived.id from app_public.appointment_archive as archived
         where archived.hospital_id = $1 and not exists (
           select from (
             select new_state from app_public.audit_entry
             where audit_entry.hospital_id = $1 and record_id = archived.id and table_name = 'appointment'
             order by audit_entry.id desc limit 1) as last
           where last.new_state @> jsonb_strip_nulls(to_jsonb(archived)
             - array['moves', 'stage_alerts', 'occurrence_number', 'waitlist_offer', 'archived_at']))`,
        [id],
      );
      expect(rows).toEqual([]);
    }));

  test('a hand that deletes an appointment or a slot is still recorded with the whole row', () =>
    rolledBack(ownerPool, async (db) => {
      const { id, ended, slotIds } = await openedLongAgo(db, '2023-06-12');
      await setClock(db, '2025-11-21T12:00:00Z');
      await run(db, 'remove_past_days', id);
      await db.query('delete from app_public.appointment where id = $1', [ended.completed.id]);
      await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [
        slotIds[20],
      ]);
      await db.query('delete from app_public.slot where id = $1', [slotIds[20]]);
      const { rows } = await db.query(
        `select table_name, old_state ->> 'id' as id from app_public.audit_entry
         ${inHospital} and operation = 'delete' order by audit_entry.id`,
        [id],
      );
      expect(rows).toEqual([
        { table_name: 'appointment', id: ended.completed.id },
        { table_name: 'slot', id: slotIds[20] },
      ]);
    }));
});

describe('the year is the local one', () => {
  test.each([
    ['Asia/Kolkata', '2026-11-21T12:00:00Z', 1, '2024-12-31T18:30:00.000Z'],
    ['America/New_York', '2026-11-21T12:00:00Z', 0, '2026-01-01T05:00:00.000Z'],
    // Still the old year there, already the new one here.
    ['America/New_York', '2027-01-01T04:59:59Z', 1, '2025-01-01T05:00:00.000Z'],
    ['America/New_York', '2027-01-01T05:00:00Z', 1, '2026-01-01T05:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-12-31T10:00:00Z', 1, '2025-12-31T10:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-12-31T09:59:59Z', 1, '2024-12-31T10:00:00.000Z'],
    // On a leap day, and with leap years between.
    ['UTC', '2028-02-29T12:00:00Z', 0, '2028-01-01T00:00:00.000Z'],
    ['UTC', '2029-01-01T00:00:00Z', 4, '2025-01-01T00:00:00.000Z'],
    // Here 30 December 2011 never was: the zone jumped over the date line.
    ['Pacific/Apia', '2012-06-01T00:00:00Z', 0, '2011-12-31T10:00:00.000Z'],
  ])('%s at %s, %i kept', (timeZone, instant, keptYears, boundary) =>
    rolledBack(ownerPool, async (db) => {
      await setClock(db, instant);
      const id = await insert(db, 'hospital', {
        slug: 'zone',
        name: 'Zone',
        time_zone: timeZone,
        kept_years: keptYears,
      });
      const { at } = await one<{ at: Date }>(
        db,
        'select app_private.retention_boundary($1) as at',
        [id],
      );
      expect(at.toISOString()).toBe(boundary);
    }),
  );

  test('a visit at the last midnight of a year is of the year in which it begins', () =>
    rolledBack(ownerPool, async (db) => {
      await setClock(db, '2024-12-30T03:00:00Z');
      const hospital = await createHospital(db, { timeZone: 'Pacific/Auckland', horizonDays: 3 });
      const at = async (local: string, patientId: string) => {
        const slotId = await insert(db, 'slot', {
          hospital_id: hospital.id,
          doctor_id: hospital.doctorIds[0],
          location_id: hospital.locationIds[0],
          during: (
            await one<{ during: string }>(
              db,
              `select tstzrange($1::timestamp at time zone 'Pacific/Auckland',
                 ($1::timestamp + interval '1 minute') at time zone 'Pacific/Auckland') as during`,
              [local],
            )
          ).during,
        });
        const id = await insert(db, 'appointment', {
          hospital_id: hospital.id,
          slot_id: slotId,
          patient_id: patientId,
          status: 'scheduled',
        });
        await setStatus(db, id, 'completed');
        return id;
      };
      await db.query(
        "update app_public.schedule set start_time = '00:00', end_time = '24:00', break_start = null, break_end = null",
      );
      const before = await at('2024-12-31 23:59', nth(hospital.patientIds, 0));
      const after = await at('2025-01-01 00:00', nth(hospital.patientIds, 1));
      await setClock(db, '2026-06-01T00:00:00Z');
      await run(db, 'archive_appointments', hospital.id);
      expect(await idsIn(db, 'appointment_archive', hospital.id)).toEqual([before]);
      expect(await idsIn(db, 'appointment', hospital.id)).toEqual([after]);
    }));
});

describe('the archive', () => {
  const changes = {
    update: "update app_public.appointment_archive set status = 'no_show'",
    'update of what erasing empties': 'update app_public.appointment_archive set reason = null',
    delete: 'delete from app_public.appointment_archive',
  };

  test.each(Object.entries(changes))('is not changed by a superuser: %s', (_, change) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await openedLongAgo(db, '2023-06-12');
      await setClock(db, '2025-11-21T12:00:00Z');
      await run(db, 'archive_appointments', id);
      expect(await refusalOf(db, () => db.query(change))).toMatchObject({
        code: 'SK403',
        scenario: 'archive_is_append_only',
      });
    }),
  );

  test('is not changed by the owner, a job or a request', () =>
    rolledBack(ownerPool, async (db) => {
      const { id, ...hospital } = await openedLongAgo(db, '2023-06-12');
      await setClock(db, '2025-11-21T12:00:00Z');
      await run(db, 'archive_appointments', id);
      const forbidden = [...Object.values(changes), 'truncate app_public.appointment_archive'];
      for (const change of forbidden) {
        // Without a policy no row is there for the owner to change; the rest is not granted.
        await db.query('set local role app_owner');
        if (change.startsWith('update')) expect((await db.query(change)).rowCount).toBe(0);
        else expect((await errorOf(db, () => db.query(change))).code).toBe('42501');
        await asWorker(db);
        expect((await errorOf(db, () => db.query(change))).code).toBe('42501');
        for (const actor of [hospital.patient, hospital.doctor, hospital.nurse, hospital.admin]) {
          await become(db, actor);
          expect((await errorOf(db, () => db.query(change))).code, actor.role).toBe('42501');
        }
      }
    }));

  test('no request archives or removes anything', () =>
    rolledBack(ownerPool, async (db) => {
      const { id, ...hospital } = await openedLongAgo(db, '2023-06-12');
      await setClock(db, '2025-11-21T12:00:00Z');
      for (const actor of [hospital.patient, hospital.doctor, hospital.nurse, hospital.admin]) {
        await become(db, actor);
        for (const step of [
          'archive_appointments',
          'remove_past_slots',
          'remove_past_days',
        ] as const) {
          expect((await errorOf(db, () => run(db, step, id))).code, step).toBe('42501');
        }
      }
    }));

  test('shows patients their own visits, and the staff those of the hospital', () =>
    rolledBack(ownerPool, async (db) => {
      const { id, ended, ...hospital } = await openedLongAgo(db, '2023-06-12');
      await setClock(db, '2025-11-21T12:00:00Z');
      await run(db, 'archive_appointments', id);
      for (const actor of [
        hospital.patient,
        hospital.doctor,
        hospital.nurse,
        hospital.receptionist,
        hospital.admin,
      ]) {
        await become(db, actor);
        expect(await idsIn(db, 'appointment_archive', id), actor.role).toHaveLength(5);
      }
      await become(db, hospital.otherPatient);
      expect(await idsIn(db, 'appointment_archive', id)).toEqual([]);
      expect(ended.completed.status).toBe('completed');
    }));
});
