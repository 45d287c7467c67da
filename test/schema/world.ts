import { randomUUID } from 'node:crypto';
import {
  createHospital,
  generateSlots,
  insert,
  type Queryable,
  type TestHospital,
} from '../helpers/hospital.ts';

/** Two hospitals with rows in every table: the one that is attacked from, and a foreign one. */
export type World = {
  hospital: TestHospital;
  foreign: TestHospital;
  /** What `:name` stands for in the SQL of attacks. */
  names: Readonly<Record<string, string>>;
};

/** Builds the world as the owner of the database would; the caller commits or rolls back. */
export async function createWorld(db: Queryable): Promise<World> {
  const hospital = await createHospital(db);
  const foreign = await createHospital(db);
  const own = await fill(db, hospital);
  const theirs = await fill(db, foreign);
  await db.query(`
    insert into app_public.health_check (
      name, domain, severity, entity_type, title, meaning, importance, resolution, remedy, is_event_driven)
    values ('check_of_the_world', 'world', 'info', 'slot', 'x', 'x', 'x', 'x', 'review', false);
    insert into app_private.rate_limit (key) values ('somebody');
    insert into app_private.worker_heartbeat values ('a worker', now(), now());
    insert into app_private.process_heartbeat (process_id, kind, environment, started_at, beaten_at)
    values ('a server', 'server', 'test', now(), now())`);
  const names = {
    ...own,
    ...Object.fromEntries(Object.entries(theirs).map(([name, id]) => [`foreign_${name}`, id])),
    unknown: randomUUID(),
  };
  return { hospital, foreign, names };
}

/** Replaces each `:name` by the literal that it stands for. */
export function spell(sql: string, names: World['names']): string {
  return sql.replaceAll(/(?<!:):([a-z][a-z_]*)\b/g, (_, name: string) => {
    const value = names[name];
    if (value === undefined) throw new Error(`nothing is called :${name}`);
    return `'${value}'`;
  });
}

async function fill(db: Queryable, hospital: TestHospital): Promise<Record<string, string>> {
  await db.query('update app_public.hospital set booking_horizon_days = 2 where id = $1', [
    hospital.id,
  ]);
  await generateSlots(db, hospital);
  const [doctor, otherDoctor] = hospital.doctorIds;
  const slots = await slotsOfTomorrow(db, hospital, doctor);
  const [sameTimeSlot = ''] = await slotsOfTomorrow(db, hospital, otherDoctor);
  const [patient = '', secondPatient = '', thirdPatient = '', fourthPatient = ''] =
    hospital.patientIds;
  const book = async (status: string, slot: number, ofPatient: string) => {
    const { rows } = await db.query<{ id: string }>(
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, service_id, status, idempotency_key)
       values ($1, $2, $3, $4, $5, gen_random_uuid()) returning id`,
      [hospital.id, slots[slot], ofPatient, hospital.serviceId, status],
    );
    return rows[0]?.id ?? '';
  };
  // Slots 0 and 1 are adjacent; 0 is booked by a visit that was moved there from 3.
  const appointment = await book('scheduled', 3, patient);
  await moveTo(db, hospital, appointment, slots[0] ?? '');
  const second = await book('scheduled', 4, secondPatient);
  const held = await book('held', 5, thirdPatient);
  const cancelled = await book('scheduled', 6, patient);
  await db.query("update app_public.appointment set status = 'cancelled' where id = $1", [
    cancelled,
  ]);
  const checkedIn = await book('scheduled', 7, fourthPatient);
  await db.query("update app_public.appointment set status = 'checked_in' where id = $1", [
    checkedIn,
  ]);
  const { rows: requests } = await db.query<{ id: string }>(
    `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
     select hospital_id, doctor_id, $2, during, 'requested' from app_public.slot where id = $1 returning id`,
    [slots[8], patient],
  );
  // A visit with the other doctor, moved as well.
  const [, elsewhere = ''] = await slotsOfTomorrow(db, hospital, otherDoctor);
  await moveTo(db, hospital, await book('scheduled', 9, secondPatient), elsewhere);
  const closures = await closeFarAhead(db, hospital);
  // A seat held for the fourth patient, who waits for it, and one that was offered to the third.
  const secondHeld = await book('held', 2, fourthPatient);
  const wait = await joinWaitlist(db, hospital, fourthPatient);
  await joinWaitlist(db, hospital, patient);
  const offeredEntry = await joinWaitlist(db, hospital, thirdPatient);
  const offer = await offerSeat(db, offeredEntry, held);
  const { rows: archived } = await db.query<{ id: string }>(
    `insert into app_public.appointment_archive (
       hospital_id, id, doctor_id, patient_id, location_id, service_id, series_id, starts_at, ends_at, status, source,
       created_by, cancelled_by, created_at, updated_at, archived_at)
     select $1, gen_random_uuid(), $2, patient, $3, $4, null, '2001-01-01 09:00+00', '2001-01-01 10:00+00',
       'cancelled', 'staff', $5, $5, '2000-12-01', '2001-01-01', now()
     from unnest($6::uuid[]) as patient returning id`,
    [
      hospital.id,
      doctor,
      hospital.locationIds[0],
      hospital.serviceId,
      hospital.admin.accountId,
      [patient, secondPatient],
    ],
  );
  const vitals = await insert(db, 'vitals_entry', {
    hospital_id: hospital.id,
    appointment_id: checkedIn,
    heart_rate: 70,
  });
  const alert = await raiseAlert(db, hospital, checkedIn);
  // An open consultation of the first doctor; completed ones of the other.
  const consultation = await consult(db, hospital, await book('scheduled', 9, thirdPatient));
  const completed = await Promise.all(
    [patient, secondPatient].map((ofPatient, index) =>
      completeVisit(db, hospital, ofPatient, index),
    ),
  );
  const longVisit = await bookLongVisit(db, hospital, fourthPatient);
  const { rows: notifications } = await db.query<{ id: string }>(
    'select id from app_public.notification where hospital_id = $1 and patient_id = $2 order by id',
    [hospital.id, patient],
  );
  const { rows: deliveries } = await db.query<{ id: string; notification_id: string }>(
    `insert into app_public.notification_delivery (
       hospital_id, notification_id, patient_id, channel, status, outcome, ended_at)
     select hospital_id, id, patient_id, 'email', 'skipped', 'no_address', now()
     from app_public.notification where hospital_id = $1 and id <> $2
     returning id, notification_id`,
    [hospital.id, notifications[1]?.id],
  );
  await db.query(
    `with wisher as (select hospital_id, id from app_public.account where hospital_id = $1 and id = any ($2)),
     preference as (
       insert into app_public.notification_preference (hospital_id, account_id, topic, channel, is_on)
       select hospital_id, id, 'all', 'email', false from wisher),
     address as (
       insert into app_private.undeliverable_address (hospital_id, channel, address_hash, since)
       values ($1, 'email', sha256('nobody'), now()))
     insert into app_public.notification_setting (hospital_id, account_id, quiet_from, quiet_until)
     select hospital_id, id, '22:00', '07:00' from wisher where id = $3`,
    [
      hospital.id,
      [hospital.doctor.accountId, hospital.otherPatient.accountId],
      hospital.doctor.accountId,
    ],
  );
  const newcomer = await insert(db, 'patient', {
    hospital_id: hospital.id,
    medical_record_number: 'MRN-newcomer',
    name: 'Newcomer',
  });
  // Blocked once, and then no more; and somebody who did not come to the other doctor.
  await db.query(
    "update app_public.patient set status = 'blocked', blocked_reason = 'x' where id = $1",
    [newcomer],
  );
  await db.query("update app_public.patient set status = 'active' where id = $1", [newcomer]);
  const missed = await missVisit(db, hospital, newcomer);
  const series = await refusedSeries(db, hospital, patient);
  await refusedSeries(db, hospital, secondPatient);
  const addedSeat = await insert(db, 'added_seat', {
    hospital_id: hospital.id,
    slot_id: slots[12],
    reason: 'an emergency',
  });
  const session = await fillSecrets(db, hospital);
  const webhooks = await subscribe(db, hospital);
  const feeds = await remindAndPublish(db, hospital, appointment, notifications[0]?.id ?? '');
  const { rows: schedules } = await db.query<{ id: string }>(
    'select id from app_public.schedule where hospital_id = $1 and doctor_id = $2 and weekday = 1',
    [hospital.id, doctor],
  );
  return {
    hospital: hospital.id,
    invitation: await insert(db, 'invitation', {
      hospital_id: hospital.id,
      email: 'invited@world.test',
      display_name: 'Invited',
      role: 'nurse',
    }),
    emergency_access: await insert(db, 'emergency_access', {
      hospital_id: hospital.id,
      account_id: hospital.doctor.accountId,
      patient_id: patient,
      reason: 'somebody was unconscious',
    }),
    doctor,
    other_doctor: otherDoctor,
    location: hospital.locationIds[0],
    annex: hospital.locationIds[1],
    service: hospital.serviceId,
    patient,
    second_patient: secondPatient,
    admin: hospital.admin.accountId,
    doctor_account: hospital.doctor.accountId,
    other_doctor_account: hospital.otherDoctor.accountId,
    patient_account: hospital.patient.accountId,
    other_patient_account: hospital.otherPatient.accountId,
    session,
    schedule: schedules[0]?.id ?? '',
    ...closures,
    slot: slots[0] ?? '',
    moved_from: slots[3] ?? '',
    adjacent_slot: slots[1] ?? '',
    free_slot: slots[10] ?? '',
    last_slot: slots.at(-1) ?? '',
    same_time_slot: sameTimeSlot,
    appointment,
    second_appointment: second,
    held,
    cancelled,
    long_visit: longVisit,
    checked_in: checkedIn,
    request: requests[0]?.id ?? '',
    notification: notifications[0]?.id ?? '',
    second_notification: notifications[1]?.id ?? '',
    delivery: deliveries.find((each) => each.notification_id === notifications[0]?.id)?.id ?? '',
    ...feeds,
    ...webhooks,
    series,
    added_seat: addedSeat,
    job_run: await runJobs(db, hospital),
    ...(await checkHealth(db, hospital)),
    archived: archived[0]?.id ?? '',
    import_run: await importOne(db, hospital, patient),
    newcomer,
    fourth_patient: fourthPatient,
    missed,
    no_show_log: await theOne(db, 'no_show_log', hospital.id),
    patient_block: await theOne(db, 'patient_block', hospital.id),
    vitals_entry: vitals,
    second_held: secondHeld,
    second_held_slot: slots[2] ?? '',
    wait,
    offered_entry: offeredEntry,
    offer,
    ...(await alarm(db, hospital)),
    stage_alert: alert,
    consultation,
    completed_consultation: completed[0]?.consultation ?? '',
    addendum: completed[0]?.addendum ?? '',
    record_access: completed[0]?.access ?? '',
    ...(await sealLog(db, hospital)),
  };
}

/** Seals the log; and a seal that closes nothing of it. */
async function sealLog(db: Queryable, { id }: TestHospital) {
  await db.query('select app_private.seal_audit($1)', [id]);
  const bareSeal = await insert(db, 'audit_seal', {
    hospital_id: id,
    number: 90,
    kind: 'entries',
    batch_number: 90,
    entry_count: 1,
    first_entry_id: 1,
    last_entry_id: 1,
    entries_hash: 'x',
    previous_hash: 'x',
    hash: 'x',
    sealed_at: '2026-01-01',
  });
  return { audit_seal: await theOne(db, 'audit_seal', id), bare_seal: bareSeal };
}

/** Absences of both doctors, one of them cancelled, and a holiday, where there are no slots. */
async function closeFarAhead(db: Queryable, { id, doctorIds }: TestHospital) {
  const absence = (doctor: string, year: number) =>
    insert(db, 'absence', {
      hospital_id: id,
      doctor_id: doctor,
      type: 'training',
      first_day: `${year}-01-01`,
      last_day: `${year}-01-02`,
    });
  const cancelled = await absence(doctorIds[1], 2098);
  await db.query("update app_public.absence set status = 'cancelled' where id = $1", [cancelled]);
  return {
    absence: await absence(doctorIds[0], 2099),
    other_absence: await absence(doctorIds[1], 2096),
    cancelled_absence: cancelled,
    holiday: await insert(db, 'holiday', {
      hospital_id: id,
      name: 'Midsummer',
      date: '2099-06-24',
    }),
  };
}

/** A run of a job that has ended, with what is counted of it. */
async function runJobs(db: Queryable, { id }: TestHospital): Promise<string> {
  const run = await insert(db, 'job_run', {
    hospital_id: id,
    job: 'archive_past_years',
    started_by: 'event',
    outcome: 'succeeded',
    started_at: 'now',
    finished_at: 'now',
  });
  await db.query(
    `insert into app_private.job_state (
       hospital_id, job, consecutive_failures, last_started_at, last_finished_at, last_outcome)
     values ($1, 'archive_past_years', 0, now(), now(), 'succeeded')`,
    [id],
  );
  await db.query(
    `insert into app_private.job_hour (
       hospital_id, job, hour, runs, failures, items, total_ms, longest_ms)
     values ($1, 'archive_past_years', date_trunc('hour', now()), 1, 0, 0, 0, 0)`,
    [id],
  );
  return run;
}

/** A run of checks by an admin, with its result, and what it found: one problem open, one ignored. */
async function checkHealth(db: Queryable, { id, admin }: TestHospital) {
  const run = await insert(db, 'check_run', {
    hospital_id: id,
    trigger: 'manual',
    requested_by: admin.accountId,
    check_names: ['check_of_the_world'],
    started_at: 'now',
    finished_at: 'now',
    duration_ms: 1,
    finding_count: 2,
    new_count: 2,
    resolved_count: 0,
  });
  await db.query(
    `insert into app_public.check_result (hospital_id, run_id, check_name, row_count, duration_ms)
     values ($1, $2, 'check_of_the_world', 2, 1)`,
    [id, run],
  );
  const find = (key: string, more: Record<string, unknown> = {}) =>
    insert(db, 'finding', {
      hospital_id: id,
      check_name: 'check_of_the_world',
      severity: 'info',
      entity_type: 'slot',
      cache_key: key,
      detail: 'x',
      metadata: '{}',
      first_seen_at: '2026-01-01',
      last_seen_at: '2026-01-01',
      times_seen: 1,
      ...more,
    });
  return {
    check_run: run,
    finding: await find('one'),
    ignored_finding: await find('other', {
      ignored_by: admin.accountId,
      ignored_at: '2026-01-01',
      ignore_reason: 'known',
    }),
  };
}

/** An alert about a patient who has arrived. */
function raiseAlert(db: Queryable, hospital: TestHospital, appointment: string): Promise<string> {
  return insert(db, 'stage_alert', {
    hospital_id: hospital.id,
    appointment_id: appointment,
    kind: 'no_vitals',
    waiting_since: '2026-01-01 09:00+00',
    due_at: '2026-01-01 09:35+00',
  });
}

/** The patient of this visit arrives and is called in; returns the consultation. */
async function consult(db: Queryable, { id }: TestHospital, appointment: string): Promise<string> {
  await db.query("update app_public.appointment set status = 'checked_in' where id = $1", [
    appointment,
  ]);
  return insert(db, 'consultation', { hospital_id: id, appointment_id: appointment });
}

/** A consultation of the other doctor that was completed, added to, and read. */
async function completeVisit(
  db: Queryable,
  hospital: TestHospital,
  patient: string,
  index: number,
): Promise<{ consultation: string; addendum: string; access: string }> {
  const slots = await slotsOfTomorrow(db, hospital, hospital.doctorIds[1]);
  const visit = await insert(db, 'appointment', {
    hospital_id: hospital.id,
    slot_id: slots[[4, 6][index] ?? 0],
    patient_id: patient,
    status: 'scheduled',
  });
  const consultation = await consult(db, hospital, visit);
  await db.query(
    `update app_public.consultation
     set chief_complaint = 'cough', diagnosis = '{cold}', notes = 'sleeps badly', status = 'completed' where id = $1`,
    [consultation],
  );
  return {
    consultation,
    addendum: await insert(db, 'consultation_addendum', {
      hospital_id: hospital.id,
      consultation_id: consultation,
      text: 'better',
    }),
    access: await insert(db, 'record_access', {
      hospital_id: hospital.id,
      patient_id: patient,
      account_id: hospital.otherDoctor.accountId,
      reader_role: 'doctor',
      reader_name: 'doctor2',
      part: 'consultation',
      consultation_id: consultation,
      purpose: 'taking part',
      accessed_at: '2026-01-01',
    }),
  };
}

/** An import that brought one patient. */
async function importOne(db: Queryable, hospital: TestHospital, patient: string): Promise<string> {
  const run = await insert(db, 'import_run', {
    hospital_id: hospital.id,
    kind: 'appointments',
    file_name: 'visits.csv',
    row_count: 2,
    fingerprint: 'x',
    created_by: hospital.admin.accountId,
  });
  for (const number of [1, 2]) {
    await db.query(
      `insert into app_public.imported_row (hospital_id, run_id, row_number, record_id, external_id)
       values ($1, $2, $3, $4, $5)`,
      [hospital.id, run, number, patient, `visit ${number}`],
    );
  }
  return run;
}

/** A reminder that was sent, and calendar feeds of the patient: one with its secret, one without. */
async function remindAndPublish(
  db: Queryable,
  { id, slug, patient, doctor }: TestHospital,
  appointment: string,
  notification: string,
) {
  await db.query(
    `insert into app_public.appointment_reminder
       (hospital_id, appointment_id, starts_at, lead_time, notification_id, created_at)
     select hospital_id, id, starts_at, '24 hours', $3, now()
     from app_public.appointment where hospital_id = $1 and id = $2`,
    [id, appointment, notification],
  );
  await db.query(
    'insert into app_private.reminder_mark (hospital_id, reached_at) values ($1, now())',
    [id],
  );
  const feed = (account: string) =>
    insert(db, 'calendar_feed', { hospital_id: id, account_id: account });
  const published = await feed(patient.accountId);
  await feed(doctor.accountId);
  await db.query(
    'insert into app_private.calendar_feed_secret (hospital_id, token_hash, feed_id) values ($1, sha256($2), $3)',
    [id, slug, published],
  );
  const empty = await insert(db, 'hospital', {
    slug: `e-${id.slice(0, 8)}`,
    name: 'Empty',
    time_zone: 'UTC',
  });
  return { feed: published, bare_feed: await feed(patient.accountId), empty_hospital: empty };
}

/** A visit of two slots with the other doctor. */
async function bookLongVisit(
  db: Queryable,
  hospital: TestHospital,
  patient: string,
): Promise<string> {
  const slots = await slotsOfTomorrow(db, hospital, hospital.doctorIds[1]);
  const { rows } = await db.query<{ id: string }>(
    `with long_service as (
       insert into app_public.service (hospital_id, name, duration)
       values ($1, 'Operation', '1 hour') returning id)
     insert into app_public.appointment (hospital_id, slot_id, patient_id, service_id, status)
     select $1, $2, $3, id, 'scheduled' from long_service returning id`,
    [hospital.id, slots[11], patient],
  );
  return rows[0]?.id ?? '';
}

/** A visit with the other doctor to which the patient did not come. */
async function missVisit(db: Queryable, hospital: TestHospital, patient: string): Promise<string> {
  const slots = await slotsOfTomorrow(db, hospital, hospital.doctorIds[1]);
  const { rows } = await db.query<{ id: string }>(
    `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
     values ($1, $2, $3, 'scheduled') returning id`,
    [hospital.id, slots[6], patient],
  );
  const id = rows[0]?.id ?? '';
  await db.query("update app_public.appointment set status = 'no_show' where id = $1", [id]);
  return id;
}

async function theOne(db: Queryable, table: string, hospitalId: string): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `select id from app_public.${table} where hospital_id = $1`,
    [hospitalId],
  );
  return rows[0]?.id ?? '';
}

/** A series far ahead whose first occurrence was refused. */
async function refusedSeries(
  db: Queryable,
  { id, doctorIds, serviceId }: TestHospital,
  patient: string,
): Promise<string> {
  const series = await insert(db, 'appointment_series', {
    hospital_id: id,
    patient_id: patient,
    doctor_id: doctorIds[0],
    service_id: serviceId,
    first_starts_at: '2100-01-01 09:00+00',
    every_days: 7,
    occurrence_count: 3,
    is_all_or_nothing: false,
  });
  await db.query(
    `insert into app_public.series_occurrence
       (hospital_id, series_id, number, patient_id, doctor_id, starts_at, scenario)
     values ($1, $2, 1, $3, $4, '2100-01-01 09:00+00', 'beyond_booking_horizon')`,
    [id, series, patient, doctorIds[0]],
  );
  return series;
}

async function moveTo(
  db: Queryable,
  hospital: TestHospital,
  appointment: string,
  slot: string,
): Promise<void> {
  await db.query('update app_public.appointment set slot_id = $2 where id = $1', [
    appointment,
    slot,
  ]);
  await db.query(
    `insert into app_public.appointment_move
       (hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, moved_by, moved_at)
     select hospital_id, id, patient_id, doctor_id, rescheduled_from, slot_id, $2, updated_at
     from app_public.appointment where id = $1`,
    [appointment, hospital.admin.accountId],
  );
}

async function joinWaitlist(
  db: Queryable,
  { id, doctorIds, serviceId, locationIds }: TestHospital,
  patient: string,
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into app_public.waitlist_entry
       (hospital_id, patient_id, doctor_id, service_id, location_id, first_day, last_day)
     values ($1, $2, $3, $4, $5, current_date + 1, current_date + 20) returning id`,
    [id, patient, doctorIds[0], serviceId, locationIds[0]],
  );
  return rows[0]?.id ?? '';
}

async function offerSeat(db: Queryable, entry: string, appointment: string): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into app_public.waitlist_offer
       (hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at)
     select hospital_id, $1, patient_id, doctor_id, slot_id, id, now()
     from app_public.appointment where id = $2 returning id`,
    [entry, appointment],
  );
  return rows[0]?.id ?? '';
}

/** Fills the private tables, all accounts but the admin's; returns one of the sessions. */
async function fillSecrets(db: Queryable, hospital: TestHospital): Promise<string> {
  await db.query(
    `insert into app_private.account_secret (hospital_id, account_id, password_hash)
     select hospital_id, id, '$argon2id$…' from app_public.account where hospital_id = $1 and role <> 'admin'`,
    [hospital.id],
  );
  const { rows } = await db.query<{ session_id: string }>(
    `with login as (
       insert into app_private.session (hospital_id, account_id, expires_at)
       select hospital_id, id, now() + interval '1 day' from app_public.account where hospital_id = $1
       returning hospital_id, id)
     insert into app_private.refresh_token (hospital_id, token_hash, session_id)
     select hospital_id, sha256(id::text::bytea), id from login returning session_id`,
    [hospital.id],
  );
  await db.query(
    `with factor as (
       insert into app_private.second_factor (hospital_id, account_id, sealed_secret)
       select hospital_id, id, 'v1.x.y' from app_public.account
       where hospital_id = $1 and role not in ('admin', 'patient') returning hospital_id, account_id)
     insert into app_private.recovery_code (hospital_id, account_id, code_hash)
     select hospital_id, account_id, sha256('x') from factor`,
    [hospital.id],
  );
  await db.query(
    `insert into app_public.security_event (hospital_id, kind, account_id)
     select hospital_id, 'login', id from app_public.account where hospital_id = $1`,
    [hospital.id],
  );
  await db.query(
    `insert into app_public.log_entry (hospital_id, kind, level, name, outcome, message)
     values ($1, 'operation', 'info', 'currentAccount', 'succeeded', 'currentAccount succeeded.')`,
    [hospital.id],
  );
  return rows[0]?.session_id ?? '';
}

async function slotsOfTomorrow(
  db: Queryable,
  { id, timeZone }: TestHospital,
  doctorId: string,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from app_public.slot
     where hospital_id = $1 and doctor_id = $2
       and (starts_at at time zone $3)::date = (app_private.clock() at time zone $3)::date + 1
     order by starts_at`,
    [id, doctorId, timeZone],
  );
  return rows.map((row) => row.id);
}

/** A finding that waits for a review and has raised an alert, with its message, a digest and a report. */
async function alarm(db: Queryable, { id, admin }: TestHospital) {
  const finding = await insert(db, 'finding', {
    hospital_id: id,
    check_name: 'check_of_the_world',
    severity: 'critical',
    entity_type: 'slot',
    cache_key: 'reviewed',
    detail: 'x',
    metadata: '{}',
    first_seen_at: '2026-01-01',
    last_seen_at: '2026-01-01',
    times_seen: 1,
  });
  const of = { hospital_id: id, detail: 'x' };
  const about = { ...of, reason: 'check_of_the_world', priority: 1, entity_type: 'slot' };
  await db.query(
    `insert into app_private.health_alert_delivery
       (hospital_id, channel, room, check_name, alert_ids, title, body, next_attempt_at)
     values ($1, 'chat', 'health', 'check_of_the_world', array[$2::uuid], 'x', 'x', now())`,
    [id, finding],
  );
  await db.query(
    `insert into app_private.health_digest_mark (hospital_id, reached_at, reached_before)
     values ($1, now(), now() - interval '4 hours')`,
    [id],
  );
  await db.query(
    "insert into app_public.health_report (hospital_id, day, figures, text) values ($1, '2026-01-01', '{}', 'x')",
    [id],
  );
  return {
    review_item: await insert(db, 'review_item', { ...about, finding_id: finding }),
    claimed_review: await insert(db, 'review_item', {
      ...about,
      status: 'in_review',
      claimed_by: admin.accountId,
      claimed_at: '2026-01-01',
    }),
    health_alert: await insert(db, 'health_alert', {
      ...of,
      finding_id: finding,
      check_name: 'check_of_the_world',
      severity: 'critical',
      title: 'x',
    }),
  };
}

/** Webhook subscriptions: one with its secret and deliveries, one without. */
async function subscribe(db: Queryable, { id, admin }: TestHospital) {
  const webhook = await insert(db, 'webhook_subscription', {
    hospital_id: id,
    name: 'Billing',
    url: 'https://billing.test/in',
    events: ['appointment.booked'],
    created_by: admin.accountId,
  });
  await db.query(
    `insert into app_private.webhook_secret (hospital_id, subscription_id, secret)
     values ($1, $2, 'whsec_' || encode(sha256('one'), 'base64'))`,
    [id, webhook],
  );
  const delivery = () =>
    insert(db, 'webhook_delivery', {
      hospital_id: id,
      subscription_id: webhook,
      event: 'appointment.booked',
    });
  return {
    webhook,
    webhook_delivery: await delivery(),
    second_webhook_delivery: await delivery(),
    bare_webhook: await insert(db, 'webhook_subscription', {
      hospital_id: id,
      name: 'Bare',
      url: 'https://bare.test/in',
      events: ['appointment.booked'],
    }),
  };
}
