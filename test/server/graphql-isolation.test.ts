import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_ACCOUNTS, DEMO_PASSWORD, demoEmail } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
const roles = DEMO_ACCOUNTS.map(([name, role]) => ({ name, role }));
const tokens: Record<string, string> = {};
let server: TestServer;
let foreign: Record<string, string>;

/** Root fields that list rows of a hospital, and the table that each reads. */
const LISTS: Readonly<Record<string, string>> = {
  absences: 'absence',
  accounts: 'account',
  addedSeats: 'added_seat',
  allAppointmentSeries: 'appointment_series',
  archivedAppointments: 'archived_appointment',
  appointmentMoves: 'appointment_move',
  appointmentReminders: 'appointment_reminder',
  appointmentSeats: 'appointment_seat',
  appointments: 'appointment',
  auditEntries: 'audit_entry',
  auditSeals: 'audit_seal',
  checkResults: 'check_result',
  checkRuns: 'check_run',
  consultationAddenda: 'consultation_addendum',
  consultationParticipants: 'consultation_participant',
  consultations: 'consultation',
  calendarFeeds: 'calendar_feed',
  doctorDays: 'doctor_day',
  doctors: 'doctor',
  emergencyAccesses: 'emergency_access',
  healthAlerts: 'health_alert',
  healthReports: 'health_report',
  findings: 'finding',
  holidays: 'holiday',
  hospitals: 'hospital',
  importRuns: 'import_run',
  importedRows: 'imported_row',
  invitations: 'invitation',
  jobRuns: 'job_run',
  logEntries: 'log_entry',
  locations: 'location',
  notificationDeliveries: 'notification_delivery',
  notificationPreferences: 'notification_preference',
  notificationSettings: 'notification_setting',
  notifications: 'notification',
  noShowLogs: 'no_show_log',
  patientBlocks: 'patient_block',
  patients: 'patient',
  recordAccesses: 'record_access',
  openFindings: 'finding',
  requestsToAnswer: 'appointment',
  reviewItems: 'review_item',
  schedules: 'schedule',
  securityEvents: 'security_event',
  seriesOccurrences: 'series_occurrence',
  services: 'service',
  slots: 'slot',
  vitalsEntries: 'vitals_entry',
  stageAlerts: 'stage_alert',
  waitlistEntries: 'waitlist_entry',
  waitlistOffers: 'waitlist_offer',
  webhookDeliveries: 'webhook_delivery',
  webhookSubscriptions: 'webhook_subscription',
};

/** Root fields that hold nothing of any hospital, or take their row from an argument. */
const OTHERS = [
  'appointmentTransitions',
  'cronHealth',
  'healthChecks',
  'systemFindings',
  'jobs',
  'errorCatalog',
  'healthReport',
  'keyFigures',
  'currentAccount',
  'noShowStatistics',
  'mySessions',
  'previewHoliday',
  'previewTimeZone',
  'query',
  'unreadNotificationCount',
  'verifyAudit',
  'webhookEvents',
];

beforeAll(async () => {
  await loadDemo(database.url);
  foreign = await bookInTheNorth();
  server = await startServer(database.authenticatorUrl);
  for (const { name } of roles) {
    tokens[name] = await server.login('demo', demoEmail(name, 'demo'), DEMO_PASSWORD);
  }
});
afterAll(() => server.close());

/** Gives the other hospital an appointment that has moved; returns one id of each of its tables. */
async function bookInTheNorth(): Promise<Record<string, string>> {
  const { rows } = await database.ownerPool.query(
    `with north as (select id from app_public.hospital where slug = 'north'),
     free as (
       select slot.id, row_number() over (order by slot.starts_at desc) as number
       from app_public.slot, north where slot.hospital_id = north.id)
     insert into app_public.appointment (hospital_id, slot_id, patient_id, status, source)
     select north.id, free.id, patient.id, 'scheduled', 'staff'
     from north, free, app_public.patient
     where free.number = 1 and patient.hospital_id = north.id
     limit 1
     returning hospital_id, id as appointment, slot_id as slot, doctor_id as doctor,
       patient_id as patient, location_id as location`,
  );
  const {
    rows: [more],
  } = await database.ownerPool.query(
    `select
       (select id from app_public.account where hospital_id = $1 limit 1) as account,
       (select id from app_public.schedule where hospital_id = $1 limit 1) as schedule,
       (select id from app_public.service where hospital_id = $1 limit 1) as service,
       (select id from app_public.audit_entry where hospital_id = $1 limit 1) as audit_entry`,
    [rows[0].hospital_id],
  );
  const {
    rows: [closed],
  } = await database.ownerPool.query(
    `with absence as (
       insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day)
       values ($1, $2, 'training', '2099-01-01', '2099-01-01') returning id),
     holiday as (
       insert into app_public.holiday (hospital_id, name, date) values ($1, 'Far ahead', '2099-01-02') returning id)
     select absence.id as absence, holiday.id as holiday from absence, holiday`,
    [rows[0].hospital_id, rows[0].doctor],
  );
  const { rows: waits } = await database.ownerPool.query(
    `insert into app_public.waitlist_entry (hospital_id, patient_id, doctor_id, first_day, last_day)
     values ($1, $2, $3, current_date + 1, current_date + 20) returning id as waitlist_entry`,
    [rows[0].hospital_id, rows[0].patient, rows[0].doctor],
  );
  const { rows: series } = await database.ownerPool.query(
    `with series as (
       insert into app_public.appointment_series
         (hospital_id, patient_id, doctor_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing)
       values ($1, $2, $3, '2099-01-01 09:00+00', 7, 2, false) returning id),
     seat as (
       insert into app_public.added_seat (hospital_id, slot_id, reason) values ($1, $4, 'x') returning id)
     select series.id as appointment_series, seat.id as added_seat from series, seat`,
    [rows[0].hospital_id, rows[0].patient, rows[0].doctor, rows[0].slot],
  );
  const { rows: notifications } = await database.ownerPool.query(
    `insert into app_public.notification
       (hospital_id, patient_id, event, priority, channels, title, body, created_at)
     values ($1, $2, 'appointment_booked', 'normal', '{in_app}', 'News', 'Text.', now())
     returning id as notification`,
    [rows[0].hospital_id, rows[0].patient],
  );
  const { rows: seen } = await database.ownerPool.query(
    `with free as (
       select slot.id from app_public.slot
       where slot.hospital_id = $1 and slot.status = 'available' and slot.starts_at > now()
       order by slot.starts_at limit 1)
     insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
     select $1, free.id, patient.id, 'scheduled'
     from free, app_public.patient where patient.hospital_id = $1 order by patient.id desc limit 1
     returning id, patient_id`,
    [rows[0].hospital_id],
  );
  const [visit] = seen;
  await database.ownerPool.query(
    "update app_public.appointment set status = 'checked_in' where id = $1",
    [visit.id],
  );
  const storeOne = async (table: string, columns: string, values: string) => {
    const { rows: stored } = await database.ownerPool.query(
      `insert into app_public.${table} (hospital_id, ${columns})
       values ('${rows[0].hospital_id}', ${values}) returning id`,
    );
    return stored[0].id;
  };
  const stage_alert = await storeOne(
    'stage_alert',
    'appointment_id, kind, waiting_since, due_at',
    `'${visit.id}', 'no_vitals', '2026-01-01', '2026-01-01'`,
  );
  const consultation = await storeOne('consultation', 'appointment_id', `'${visit.id}'`);
  await database.ownerPool.query(
    `update app_public.consultation set chief_complaint = 'x', diagnosis = '{x}', status = 'completed' where id = $1`,
    [consultation],
  );
  const consultation_addendum = await storeOne(
    'consultation_addendum',
    'consultation_id, text',
    `'${consultation}', 'x'`,
  );
  await database.ownerPool.query('select app_private.seal_audit($1)', [rows[0].hospital_id]);
  const { rows: seals } = await database.ownerPool.query(
    'select id as audit_seal from app_public.audit_seal where hospital_id = $1',
    [rows[0].hospital_id],
  );
  const record_access = await storeOne(
    'record_access',
    'patient_id, reader_role, reader_name, part, purpose, accessed_at',
    `'${visit.patient_id}', 'doctor', 'x', 'patient_record', 'x', now()`,
  );
  const { rows: participants } = await database.ownerPool.query(
    'select id as consultation_participant from app_public.consultation_participant where consultation_id = $1',
    [consultation],
  );
  const { rows: deliveries } = await database.ownerPool.query(
    `insert into app_public.notification_delivery
       (hospital_id, notification_id, patient_id, channel, status, outcome, ended_at)
     values ($1, $2, $3, 'email', 'skipped', 'no_address', now()) returning id as notification_delivery`,
    [rows[0].hospital_id, notifications[0].notification, rows[0].patient],
  );
  const { rows: feeds } = await database.ownerPool.query(
    `with reminder as (
       insert into app_public.appointment_reminder
         (hospital_id, appointment_id, starts_at, lead_time, notification_id, created_at)
       values ($1, $2, now(), '1 hour', $3, now()))
     insert into app_public.calendar_feed (hospital_id, account_id) values ($1, $4) returning id as calendar_feed`,
    [rows[0].hospital_id, rows[0].appointment, notifications[0].notification, more.account],
  );
  const log_entry = await storeOne(
    'log_entry',
    'kind, level, name, outcome, message',
    "'operation', 'info', 'freeSlots', 'succeeded', 'freeSlots succeeded.'",
  );
  const webhook_subscription = await storeOne(
    'webhook_subscription',
    'name, url, events',
    `'x', 'https://x.test', '{"appointment.booked"}'`,
  );
  const webhook_delivery = await storeOne(
    'webhook_delivery',
    'subscription_id, event',
    `'${webhook_subscription}', 'appointment.booked'`,
  );
  const review_item = await storeOne(
    'review_item',
    'reason, priority, entity_type, detail',
    "'x', 1, 'slot', 'x'",
  );
  const health_alert = await storeOne(
    'health_alert',
    'check_name, severity, title, detail',
    "'x', 'critical', 'x', 'x'",
  );
  await database.ownerPool.query(
    "insert into app_public.health_report (hospital_id, day, figures, text) values ($1, '2026-01-01', '{}', 'x')",
    [rows[0].hospital_id],
  );
  const finding = await storeOne(
    'finding',
    'check_name, severity, entity_type, cache_key, detail, metadata, first_seen_at, last_seen_at, times_seen',
    "'x', 'info', 'slot', 'x', 'x', '{}', now(), now(), 1",
  );
  const check_run = await storeOne(
    'check_run',
    'trigger, check_names, started_at, finished_at, duration_ms, finding_count, new_count, resolved_count',
    "'manual', '{}', now(), now(), 0, 0, 0, 0",
  );
  await database.ownerPool.query(
    "insert into app_public.check_result (hospital_id, run_id, check_name, row_count, duration_ms) values ($1, $2, 'x', 0, 0)",
    [rows[0].hospital_id, check_run],
  );
  return {
    ...rows[0],
    review_item,
    health_alert,
    finding,
    check_run,
    webhook_subscription,
    webhook_delivery,
    ...deliveries[0],
    ...feeds[0],
    ...more,
    ...participants[0],
    stage_alert,
    consultation,
    consultation_addendum,
    record_access,
    ...seals[0],
    ...notifications[0],
    ...closed,
    ...waits[0],
    ...series[0],
    appointment_move: randomUUID(),
    waitlist_offer: randomUUID(),
    archived_appointment: randomUUID(),
    emergency_access: randomUUID(),
    invitation: randomUUID(),
    security_event: randomUUID(),
    import_run: randomUUID(),
    job_run: randomUUID(),
    log_entry,
    imported_row: randomUUID(),
    no_show_log: randomUUID(),
    patient_block: randomUUID(),
    vitals_entry: randomUUID(),
  };
}

test('every root field of the schema is in one of the lists of this test', async () => {
  const { data } = await server.ask(
    tokens.admin ?? '',
    '{ __schema { queryType { fields { name args { name } } } } }',
  );
  const schema = data?.__schema as { queryType: { fields: Field[] } } | undefined;
  const untested = schema?.queryType.fields
    .filter(({ name, args }) => !(name in LISTS) && !OTHERS.includes(name) && !takesId(args))
    .map(({ name }) => name);
  expect(untested).toEqual([]);
});

test.each(roles)('$role sees rows of their own hospital only', async ({ name }) => {
  for (const list of Object.keys(LISTS)) {
    const id = list === 'hospitals' ? 'id' : 'hospitalId';
    const { data, errors } = await server.ask(
      tokens[name] ?? '',
      `{ ${list}(first: 100) { nodes { ${id} } } }`,
    );
    const seen = (data?.[list] as { nodes: Record<string, string>[] } | null)?.nodes ?? [];
    expect(
      seen.filter((row) => row[id] === foreign.hospital_id),
      list,
    ).toEqual([]);
    if (errors.length > 0) expect(errors[0]?.extensions.scenario, list).toBe('forbidden');
  }
});

/** Tables whose rows have a key of several parts, and the hospital itself. */
const WITHOUT_ID = new Set([
  'hospital',
  'doctor_day',
  'health_report',
  'appointment_reminder',
  'appointment_seat',
  'check_result',
  'series_occurrence',
  'imported_row',
  'notification_preference',
  'notification_setting',
]);

test.each(roles)('$role finds nothing of another hospital by its id', async ({ name }) => {
  for (const table of Object.values(LISTS)) {
    if (WITHOUT_ID.has(table)) continue;
    const field = table.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const { data, errors } = await server.ask(
      tokens[name] ?? '',
      `{ ${field}(id: "${foreign[table]}") { id } }`,
    );
    expect(data?.[field] ?? null, field).toBeNull();
    if (errors.length > 0) expect(errors[0]?.extensions.scenario, field).toBe('forbidden');
  }
});

test.each(roles)('$role changes nothing of another hospital', async ({ name, role }) => {
  const own = await ownIds(name);
  const before = await stateOfTheNorth();
  const key = randomUUID();
  const attempts: Record<string, string> = {
    bookAppointment: `slotId: "${foreign.slot}", patientId: "${own.patient}", idempotencyKey: "${key}"`,
    holdSlot: `slotId: "${foreign.slot}", patientId: "${foreign.patient}", idempotencyKey: "${key}"`,
    confirmHold: `appointmentId: "${foreign.appointment}"`,
    confirmAppointment: `appointmentId: "${foreign.appointment}"`,
    checkInAppointment: `appointmentId: "${foreign.appointment}"`,
    completeAppointment: `appointmentId: "${foreign.appointment}"`,
    cancelAppointment: `appointmentId: "${foreign.appointment}"`,
    rescheduleAppointment: `appointmentId: "${foreign.appointment}", newSlotId: "${own.slot}", idempotencyKey: "${key}"`,
    blockSlot: `slotId: "${foreign.slot}", reason: "mine"`,
    unblockSlot: `slotId: "${foreign.slot}"`,
    markNotificationRead: `notificationId: "${foreign.notification}"`,
    markNotificationUnread: `notificationId: "${foreign.notification}"`,
    retryDelivery: `deliveryId: "${foreign.notification_delivery}"`,
    replaceSchedule: `doctorId: "${foreign.doctor}", effectiveFrom: "2100-01-01", rows: []`,
    updateDoctor: `doctorId: "${foreign.doctor}", displayName: "Mine"`,
    updateLocation: `locationId: "${foreign.location}", name: "Mine"`,
    updateService: `serviceId: "${foreign.service}", name: "Mine"`,
    createAbsence: `doctorId: "${foreign.doctor}", type: emergency, firstDay: "2098-01-01", lastDay: "2098-01-01"`,
    declareEmergency: `doctorId: "${foreign.doctor}"`,
    cancelAbsence: `absenceId: "${foreign.absence}"`,
    cancelHoliday: `holidayId: "${foreign.holiday}"`,
    setDoctorAvailability: `doctorId: "${foreign.doctor}", isAvailable: false`,
    deactivateDoctor: `doctorId: "${foreign.doctor}"`,
    reactivateDoctor: `doctorId: "${foreign.doctor}"`,
    deactivatePatient: `patientId: "${foreign.patient}"`,
    reactivatePatient: `patientId: "${foreign.patient}"`,
    joinWaitlist: `patientId: "${own.patient}", doctorId: "${foreign.doctor}", firstDay: "2026-01-01", lastDay: "2026-01-01"`,
    leaveWaitlist: `entryId: "${foreign.waitlist_entry}"`,
    requestAppointment: `doctorId: "${foreign.doctor}", startsAt: "2098-01-01T09:00:00Z", patientId: "${own.patient}", idempotencyKey: "${key}"`,
    acceptAppointment: `appointmentId: "${foreign.appointment}"`,
    declineAppointment: `appointmentId: "${foreign.appointment}", reason: "mine"`,
    proposeSlot: `appointmentId: "${foreign.appointment}", slotId: "${own.slot}"`,
    bookSeries: `doctorId: "${foreign.doctor}", firstStartsAt: "2098-01-01T09:00:00Z", everyDays: 7, occurrenceCount: 2, patientId: "${own.patient}", idempotencyKey: "${key}"`,
    cancelSeries: `seriesId: "${foreign.appointment_series}"`,
    addSeat: `slotId: "${foreign.slot}", reason: "mine"`,
    markNoShow: `appointmentId: "${foreign.appointment}", reason: patient_called`,
    claimReviewItem: `reviewItemId: "${foreign.review_item}", takeOver: true`,
    releaseReviewItem: `reviewItemId: "${foreign.review_item}"`,
    resolveReviewItem: `reviewItemId: "${foreign.review_item}", note: "mine"`,
    dismissReviewItem: `reviewItemId: "${foreign.review_item}", note: "mine"`,
    acknowledgeHealthAlert: `healthAlertId: "${foreign.health_alert}"`,
    resolveHealthAlert: `healthAlertId: "${foreign.health_alert}", note: "mine"`,
    undoNoShow: `appointmentId: "${foreign.appointment}", reason: "mine"`,
    recordVitals: `appointmentId: "${foreign.appointment}", heartRate: 70`,
    blockPatient: `patientId: "${foreign.patient}", reason: "mine"`,
    unblockPatient: `patientId: "${foreign.patient}", reason: "mine"`,
    erasePatient: `patientId: "${foreign.patient}"`,
    exportPatient: `patientId: "${foreign.patient}"`,
    acknowledgeStageAlert: `alertId: "${foreign.stage_alert}"`,
    resolveStageAlert: `alertId: "${foreign.stage_alert}"`,
    startConsultation: `appointmentId: "${foreign.appointment}"`,
    updateConsultation: `consultationId: "${foreign.consultation}", notes: "mine"`,
    completeConsultation: `consultationId: "${foreign.consultation}"`,
    abandonConsultation: `consultationId: "${foreign.consultation}", reason: "mine"`,
    addParticipant: `consultationId: "${foreign.consultation}", doctorId: "${foreign.doctor}", role: assisting`,
    removeParticipant: `consultationId: "${foreign.consultation}", doctorId: "${foreign.doctor}"`,
    addAddendum: `consultationId: "${foreign.consultation}", text: "mine"`,
    openConsultation: `consultationId: "${foreign.consultation}"`,
    openPatientRecord: `patientId: "${foreign.patient}", purpose: "mine"`,
    updateWebhookSubscription: `subscriptionId: "${foreign.webhook_subscription}", name: "Mine"`,
    pauseWebhookSubscription: `subscriptionId: "${foreign.webhook_subscription}"`,
    resumeWebhookSubscription: `subscriptionId: "${foreign.webhook_subscription}"`,
    rotateWebhookSecret: `subscriptionId: "${foreign.webhook_subscription}"`,
    deleteWebhookSubscription: `subscriptionId: "${foreign.webhook_subscription}"`,
    sendTestWebhook: `subscriptionId: "${foreign.webhook_subscription}"`,
    resendWebhookDelivery: `deliveryId: "${foreign.webhook_delivery}"`,
    ignoreFinding: `findingId: "${foreign.finding}", reason: "mine"`,
    unignoreFinding: `findingId: "${foreign.finding}"`,
    repairFinding: `findingId: "${foreign.finding}"`,
    revokeCalendarFeed: `feedId: "${foreign.calendar_feed}"`,
  };
  const unknown = randomUUID();
  for (const [mutation, input] of Object.entries(attempts)) {
    const scenario = await scenarioOf(name, mutation, input);
    const ofUnknown = await scenarioOf(
      name,
      mutation,
      input
        .replaceAll(foreign.slot ?? '', unknown)
        .replaceAll(foreign.consultation ?? '', unknown)
        .replaceAll(foreign.stage_alert ?? '', unknown)
        .replaceAll(foreign.finding ?? '', unknown)
        .replaceAll(foreign.doctor ?? '', unknown)
        .replaceAll(foreign.absence ?? '', unknown)
        .replaceAll(foreign.holiday ?? '', unknown)
        .replaceAll(foreign.appointment ?? '', unknown)
        .replaceAll(foreign.patient ?? '', unknown)
        .replaceAll(foreign.notification_delivery ?? '', unknown)
        .replaceAll(foreign.notification ?? '', unknown)
        .replaceAll(foreign.doctor ?? '', unknown)
        .replaceAll(foreign.location ?? '', unknown)
        .replaceAll(foreign.service ?? '', unknown)
        .replaceAll(foreign.waitlist_entry ?? '', unknown)
        .replaceAll(foreign.calendar_feed ?? '', unknown)
        .replaceAll(foreign.review_item ?? '', unknown)
        .replaceAll(foreign.health_alert ?? '', unknown)
        .replaceAll(foreign.webhook_subscription ?? '', unknown)
        .replaceAll(foreign.webhook_delivery ?? '', unknown)
        .replaceAll(foreign.appointment_series ?? '', unknown),
    );
    expect(scenario, `${mutation} as ${role}`).toMatch(/_not_found$|^forbidden$/);
    expect(scenario, `${mutation} as ${role}: foreign and unknown look alike`).toBe(ofUnknown);
  }
  expect(await stateOfTheNorth()).toEqual(before);
});

type Field = { name: string; args: { name: string }[] };

function takesId(args: Field['args']): boolean {
  return args.some(({ name }) => name === 'id' || name.endsWith('Id'));
}

async function scenarioOf(name: string, mutation: string, input: string): Promise<unknown> {
  const { errors } = await server.ask(
    tokens[name] ?? '',
    `mutation { ${mutation}(input: { ${input} }) { clientMutationId } }`,
  );
  return errors[0]?.extensions.scenario ?? 'it was done';
}

async function ownIds(name: string): Promise<{ patient: string; slot: string }> {
  const { data } = await server.ask(
    tokens[name] ?? '',
    '{ patients(first: 1) { nodes { id } } slots(first: 1, orderBy: STARTS_AT_DESC) { nodes { id } } }',
  );
  const { patients, slots } = data as Record<string, { nodes: { id: string }[] }>;
  return { patient: patients?.nodes[0]?.id ?? '', slot: slots?.nodes[0]?.id ?? '' };
}

async function stateOfTheNorth(): Promise<unknown> {
  const { rows } = await database.ownerPool.query(
    `select md5(string_agg(row::text, ',' order by row::text)) as state from (
       select to_jsonb(slot) from app_public.slot where hospital_id = $1
       union all
       select to_jsonb(appointment) from app_public.appointment where hospital_id = $1
       union all
       select to_jsonb(waitlist_entry) from app_public.waitlist_entry where hospital_id = $1
       union all
       select to_jsonb(consultation) from app_public.consultation where hospital_id = $1
       union all
       select to_jsonb(stage_alert) from app_public.stage_alert where hospital_id = $1
       union all
       select to_jsonb(review_item) from app_public.review_item where hospital_id = $1
       union all
       select to_jsonb(health_alert) from app_public.health_alert where hospital_id = $1
       union all
       select to_jsonb(record_access) from app_public.record_access where hospital_id = $1
       union all
       select to_jsonb(audit_entry) from app_public.audit_entry where hospital_id = $1) as stored (row)`,
    [foreign.hospital_id],
  );
  return rows[0].state;
}
