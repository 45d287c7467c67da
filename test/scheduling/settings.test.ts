import { describe, expect, test } from 'vitest';
import { become, rolledBack } from '../helpers/actors.ts';
import { one } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

// What admins set up: doctors, places, kinds of visit, the hospital's settings.

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 3 });
const stranger = await createHospital(ownerPool, { horizonDays: 3 });
const [doctorId, otherDoctorId] = hospital.doctorIds;
const [locationId, annexId] = hospital.locationIds;

type Row = Record<string, unknown>;

function asAdmin(
  tell: (
    call: (sql: string, values?: unknown[]) => Promise<Row>,
    refused: (sql: string, values?: unknown[]) => ReturnType<typeof refusalOf>,
  ) => Promise<void>,
) {
  return rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const call = (sql: string, values: unknown[] = []) =>
      one<Row>(db, `select * from app_public.${sql}`, values);
    await tell(call, (sql, values) => refusalOf(db, () => call(sql, values)));
  });
}

describe('a doctor', () => {
  test('is added with what is usual', () =>
    asAdmin(async (call) => {
      expect(await call("create_doctor('Dr. New')")).toMatchObject({
        hospital_id: hospital.id,
        display_name: 'Dr. New',
        specialty: null,
        staff_number: null,
        max_patients_per_day: 30,
        is_active: true,
        is_available: true,
      });
      expect(
        await call("create_doctor('Dr. Newer', 'cardiology', '15 minutes', 12, 'S-1')"),
      ).toMatchObject({ specialty: 'cardiology', max_patients_per_day: 12, staff_number: 'S-1' });
    }));

  test('changes in what is named and in nothing else; what may be empty is cleared', () =>
    asAdmin(async (call) => {
      await call("update_doctor($1, specialty => 'cardiology', staff_number => 'S-1')", [doctorId]);
      expect(
        await call("update_doctor($1, display_name => 'Dr. Renamed')", [doctorId]),
      ).toMatchObject({
        display_name: 'Dr. Renamed',
        specialty: 'cardiology',
        staff_number: 'S-1',
        max_patients_per_day: 30,
      });
      expect(await call("update_doctor($1, clear => '{specialty}')", [doctorId])).toMatchObject({
        display_name: 'Dr. Renamed',
        specialty: null,
        staff_number: 'S-1',
      });
      expect(await call("update_doctor($1, clear => '{staff_number}')", [doctorId])).toMatchObject({
        staff_number: null,
      });
    }));

  test('is refused with all faults at once', () =>
    asAdmin(async (_, refused) => {
      for (const sql of [
        "create_doctor(' ', '', '4 minutes', 0, '')",
        `update_doctor('${doctorId}', ' ', '', '8 hours 1 minute', 501, ' ')`,
      ]) {
        const refusal = await refused(sql);
        expect(refusal).toMatchObject({ code: 'SK400', scenario: 'invalid_input' });
        expect(Object.keys(refusal.details).sort()).toEqual([
          'display_name',
          'max_patients_per_day',
          'slot_duration',
          'specialty',
          'staff_number',
        ]);
      }
      expect(
        (await refused("update_doctor($1, clear => '{display_name}')", [doctorId])).details,
      ).toHaveProperty('clear');
    }));

  test('has a staff number of its own', () =>
    asAdmin(async (call, refused) => {
      await call("update_doctor($1, staff_number => 'S-1')", [doctorId]);
      await call("update_doctor($1, staff_number => 'S-1')", [doctorId]);
      for (const sql of [
        "create_doctor('Dr. New', staff_number => 'S-1')",
        `update_doctor('${otherDoctorId}', staff_number => 'S-1')`,
      ]) {
        expect(await refused(sql)).toMatchObject({
          scenario: 'staff_number_taken',
          details: { staff_number: 'S-1' },
        });
      }
    }));

  test('of another hospital is not found', () =>
    asAdmin(async (_, refused) => {
      expect(
        (await refused("update_doctor($1, display_name => 'Mine')", [stranger.doctorIds[0]]))
          .scenario,
      ).toBe('doctor_not_found');
    }));
});

describe('a place', () => {
  test('is added, renamed, closed and opened', () =>
    asAdmin(async (call) => {
      const { id } = await call("create_location('Garden')");
      expect(await call("update_location($1, 'Roof')", [id])).toMatchObject({
        name: 'Roof',
        is_active: true,
      });
      expect(await call('update_location($1, is_active => false)', [id])).toMatchObject({
        name: 'Roof',
        is_active: false,
      });
      expect(await call('update_location($1, is_active => true)', [id])).toMatchObject({
        is_active: true,
      });
    }));

  test('has a name of its own', () =>
    asAdmin(async (call, refused) => {
      expect(await refused("create_location('Main')")).toMatchObject({
        scenario: 'name_taken',
        details: { name: 'Main' },
      });
      expect((await refused("update_location($1, 'Main')", [annexId])).scenario).toBe('name_taken');
      expect((await refused("create_location(' ')")).scenario).toBe('invalid_input');
      await call("update_location($1, 'Main')", [locationId]);
      expect(
        (await refused("update_location($1, 'Mine')", [stranger.locationIds[0]])).scenario,
      ).toBe('location_not_found');
    }));
});

describe('a kind of visit', () => {
  test('is added, changed, cleared, and not offered any more', () =>
    asAdmin(async (call) => {
      const { id } = await call(
        "create_service('Surgery', '1 hour', '10 minutes', '20 minutes', 'surgery')",
      );
      expect(await call("update_service($1, buffer_after => '0')", [id])).toMatchObject({
        name: 'Surgery',
        duration: { hours: 1 },
        buffer_before: { minutes: 10 },
        buffer_after: {},
        external_event_type: 'surgery',
      });
      expect(
        await call(
          "update_service($1, clear => '{duration,external_event_type}', is_active => false)",
          [id],
        ),
      ).toMatchObject({
        duration: null,
        external_event_type: null,
        is_active: false,
        buffer_before: { minutes: 10 },
      });
      expect(await call("create_service('Talk')")).toMatchObject({
        duration: null,
        buffer_before: {},
        is_active: true,
      });
    }));

  test('is refused with all faults at once, or for a name that is taken', () =>
    asAdmin(async (_, refused) => {
      for (const sql of [
        "create_service('', '1 minute', '-1 minute', '121 minutes')",
        `update_service('${hospital.serviceId}', '', '9 hours', '3 hours', '-1 second')`,
      ]) {
        expect(Object.keys((await refused(sql)).details).sort()).toEqual([
          'buffer_after',
          'buffer_before',
          'duration',
          'name',
        ]);
      }
      expect((await refused("create_service('Consultation')")).scenario).toBe('name_taken');
      expect(
        (await refused("update_service($1, clear => '{name}')", [hospital.serviceId])).scenario,
      ).toBe('invalid_input');
      expect((await refused("update_service($1, 'Mine')", [stranger.serviceId])).scenario).toBe(
        'service_not_found',
      );
    }));
});

describe('the settings of the hospital', () => {
  test('change one by one; the stored days can be left to the horizon again', () =>
    asAdmin(async (call) => {
      expect(
        await call("update_hospital_settings(generated_days => 2, offer_duration => '1 hour')"),
      ).toMatchObject({
        id: hospital.id,
        generated_days: 2,
        offer_duration: { hours: 1 },
        booking_horizon_days: 3,
      });
      expect(
        await call(
          "update_hospital_settings(name => 'St. Mary', booking_horizon_days => 60, no_show_window_end => '21:00', kept_years => 2)",
        ),
      ).toMatchObject({
        name: 'St. Mary',
        booking_horizon_days: 60,
        generated_days: 2,
        no_show_window_end: '21:00:00',
        kept_years: 2,
      });
      expect(await call("update_hospital_settings(clear => '{generated_days}')")).toMatchObject({
        generated_days: null,
        booking_horizon_days: 60,
      });
    }));

  test('are refused with all faults at once', () =>
    asAdmin(async (_, refused) => {
      const { details } = await refused(
        `update_hospital_settings(' ', 0, 366, '2 hours', '1 minute', '-1 second', 0, '22:00', '21:00',
           '-1 second', '-1 second', 51, '{1 minute}', 0, '{name}')`,
      );
      expect(Object.keys(details).sort()).toEqual([
        'booking_horizon_days',
        'clear',
        'doctor_alert_buffer',
        'generated_days',
        'hold_duration',
        'kept_years',
        'log_kept_days',
        'name',
        'no_show_block_threshold',
        'no_show_window_end',
        'offer_duration',
        'rebook_buffer',
        'reminder_offsets',
        'vitals_alert_buffer',
      ]);
      // An end alone is compared with the start that stands.
      expect(
        (await refused("update_hospital_settings(no_show_window_end => '06:59')")).details,
      ).toHaveProperty('no_show_window_end');
    }));
});

test('only admins set anything up', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.receptionist,
      hospital.doctor,
      hospital.nurse,
      hospital.patient,
    ]) {
      await become(db, actor);
      for (const call of [
        "create_doctor('X')",
        `update_doctor('${doctorId}')`,
        "create_location('X')",
        `update_location('${annexId}')`,
        "create_service('X')",
        `update_service('${hospital.serviceId}')`,
        'update_hospital_settings()',
      ]) {
        const error = await errorOf(db, () => db.query(`select app_public.${call}`));
        expect(error.code, `${actor.role}: ${call}`).toBe('42501');
      }
    }
  }));

test('no admin writes the zone, a counter or whether a doctor works here', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    for (const statement of [
      "update app_public.hospital set time_zone = 'UTC'",
      "update app_public.hospital set slug = 'mine'",
      'update app_public.schedule set end_time = $$20:00$$',
      'delete from app_public.schedule',
      'delete from app_public.slot',
      'update app_public.slot set is_retired = true',
      'update app_public.slot set schedule_id = null',
    ]) {
      expect((await errorOf(db, () => db.query(statement))).code, statement).toBe('42501');
    }
  }));
