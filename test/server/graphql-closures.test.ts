import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
let server: TestServer;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  for (const name of ['reception', 'patient', 'doctor', 'admin']) {
    tokens[name] = await server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);
  }
});
afterAll(() => server.close());

// biome-ignore lint/suspicious/noExplicitAny: the shape is that of each query
async function data(login: string, query: string, variables = {}): Promise<any> {
  const answer = await server.ask(tokens[login] ?? null, query, variables);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

const CHANGE = `closedSlots openedSlots cancelledAppointments notifiedPatients
  affectedAppointments {
    appointmentId patientId doctorId startsAt endsAt status
    alternatives { doctorId doctorName slotId startsAt }
  }`;

async function bookSomewhere(): Promise<{
  id: string;
  doctorId: string;
  patientId: string;
  day: string;
}> {
  const { patients, doctors } = await data(
    'reception',
    '{ patients(first: 1) { nodes { id } } doctors(first: 1) { nodes { id } } }',
  );
  const [patientId, doctorId] = [patients.nodes[0].id, doctors.nodes[0].id];
  const { freeSlots } = await data(
    'reception',
    'query ($id: UUID!) { freeSlots(doctorId: $id, first: 1, offset: 60) { nodes { slotId startsAt } } }',
    { id: doctorId },
  );
  const { bookAppointment } = await data(
    'reception',
    'mutation ($input: BookAppointmentInput!) { bookAppointment(input: $input) { appointment { id } } }',
    { input: { slotId: freeSlots.nodes[0].slotId, patientId, idempotencyKey: randomUUID() } },
  );
  const { rows } = await database.ownerPool.query(
    `select (starts_at at time zone time_zone)::date::text as day
     from app_public.appointment join app_public.hospital on hospital.id = hospital_id
     where appointment.id = $1`,
    [bookAppointment.appointment.id],
  );
  return { id: bookAppointment.appointment.id, doctorId, patientId, day: rows[0].day };
}

test('reception previews an absence, enters it, reads it and cancels it', async () => {
  const { id, doctorId, day } = await bookSomewhere();
  const wish = { doctorId, type: 'training', firstDay: day, lastDay: day };
  const { previewAbsence } = await data(
    'reception',
    `query ($doctorId: UUID!, $type: AbsenceType!, $firstDay: Date!, $lastDay: Date!) {
      previewAbsence(doctorId: $doctorId, type: $type, firstDay: $firstDay, lastDay: $lastDay) { ${CHANGE} }
    }`,
    wish,
  );
  expect(previewAbsence).toMatchObject({ notifiedPatients: 1, cancelledAppointments: 0 });
  expect(previewAbsence.affectedAppointments).toMatchObject([
    { appointmentId: id, status: 'scheduled' },
  ]);

  const { createAbsence } = await data(
    'reception',
    `mutation ($input: CreateAbsenceInput!) {
      createAbsence(input: $input) { enteredAbsence { absenceId change { ${CHANGE} } } }
    }`,
    { input: { ...wish, reason: 'Course' } },
  );
  const { absenceId, change } = createAbsence.enteredAbsence;
  expect(change).toEqual(previewAbsence);

  const { absence } = await data(
    'reception',
    'query ($id: UUID!) { absence(id: $id) { type firstDay status reason doctor { id } creator { email } } }',
    { id: absenceId },
  );
  expect(absence).toEqual({
    type: 'training',
    firstDay: day,
    status: 'active',
    reason: 'Course',
    doctor: { id: doctorId },
    creator: { email: 'reception@demo.test' },
  });

  const { cancelAbsence } = await data(
    'reception',
    `mutation ($input: CancelAbsenceInput!) { cancelAbsence(input: $input) { calendarChange { ${CHANGE} } } }`,
    { input: { absenceId } },
  );
  expect(cancelAbsence.calendarChange).toMatchObject({ openedSlots: change.closedSlots });
});

test('an admin closes the hospital for a day and opens it again; members see the day', async () => {
  const { day } = await bookSomewhere();
  const { createHoliday } = await data(
    'admin',
    `mutation ($input: CreateHolidayInput!) {
      createHoliday(input: $input) { enteredHoliday { holidayId change { ${CHANGE} } } }
    }`,
    { input: { name: 'Founding Day', date: day } },
  );
  const { holidayId, change } = createHoliday.enteredHoliday;
  expect(change.closedSlots).toBeGreaterThan(0);
  const { holidays } = await data(
    'patient',
    'query ($date: Date!) { holidays(filter: { date: { equalTo: $date } }) { nodes { id name isRecurring } } }',
    { date: day },
  );
  expect(holidays.nodes).toEqual([{ id: holidayId, name: 'Founding Day', isRecurring: false }]);
  const { cancelHoliday } = await data(
    'admin',
    'mutation ($input: CancelHolidayInput!) { cancelHoliday(input: $input) { calendarChange { openedSlots } } }',
    { input: { holidayId } },
  );
  expect(cancelHoliday.calendarChange.openedSlots).toBe(change.closedSlots);
});

test('a doctor who becomes unavailable: previewed, done, undone', async () => {
  const { id, doctorId } = await bookSomewhere();
  const { previewDoctorAvailability } = await data(
    'admin',
    `query ($doctorId: UUID!) { previewDoctorAvailability(doctorId: $doctorId, isAvailable: false) { ${CHANGE} } }`,
    { doctorId },
  );
  const set = `mutation ($input: SetDoctorAvailabilityInput!) {
    setDoctorAvailability(input: $input) { calendarChange { ${CHANGE} } }
  }`;
  const { setDoctorAvailability } = await data('admin', set, {
    input: { doctorId, isAvailable: false },
  });
  expect(setDoctorAvailability.calendarChange).toEqual(previewDoctorAvailability);
  const { appointment } = await data(
    'reception',
    'query ($id: UUID!) { appointment(id: $id) { status cancellationCause } }',
    { id },
  );
  expect(appointment).toEqual({ status: 'cancelled', cancellationCause: 'doctor_unavailable' });
  await data('admin', set, { input: { doctorId, isAvailable: true } });
});

test('a patient sees that a slot is closed, and not why', async () => {
  const { errors } = await server.ask(
    tokens.patient ?? null,
    '{ absences(first: 1) { nodes { type } } }',
  );
  expect(errors[0]?.extensions.scenario).toBe('forbidden');
});
