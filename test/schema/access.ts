import type { ClientBase } from 'pg';
import { asAnonymous, asOwner, asWorker, become } from '../helpers/actors.ts';
import type { Actor, TestHospital } from '../helpers/hospital.ts';
import { spell, type World } from './world.ts';

/** How each role that a request or a job can have acts in a hospital. */
export function actorsIn(
  hospital: TestHospital,
): Readonly<Record<string, (db: ClientBase) => Promise<void>>> {
  const person = (actor: Actor) => (db: ClientBase) => become(db, actor);
  // Roles without an account of their own, with every claim that could help them.
  const stranger = (role: string) => async (db: ClientBase) => {
    await become(db, hospital.admin);
    await db.query("select set_config('role', $1, true)", [role]);
  };
  return {
    app_anonymous: asAnonymous,
    app_patient: person(hospital.patient),
    app_doctor: person(hospital.doctor),
    app_nurse: person(hospital.nurse),
    app_receptionist: person(hospital.receptionist),
    app_admin: person(hospital.admin),
    app_login: stranger('app_login'),
    app_authenticator: stranger('app_authenticator'),
    app_monitor: stranger('app_monitor'),
    app_eraser: stranger('app_eraser'),
    app_scheduler: stranger('app_scheduler'),
    app_observer: stranger('app_observer'),
    app_worker: asWorker,
  };
}

/** Roles that serve all hospitals, and why. */
export const hospitalSpanning: Readonly<Record<string, string>> = {
  app_worker: 'one worker does the jobs of all hospitals',
  app_monitor: 'checks and reports look at the whole database',
};

/** One valid row a table, in SQL: what an insert tries. */
export const rows: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'app_public.hospital': { slug: "'one-more'", name: "'One more'", time_zone: "'UTC'" },
  'app_public.error_catalog': {
    scenario: "'one_more'",
    code: "'SK400'",
    is_recoverable: 'true',
    message: "'No.'",
    hint: "'Do not.'",
  },
  'app_public.appointment_transition': {
    from_status: "'completed'",
    to_status: "'cancelled'",
    roles: "'{admin}'",
  },
  'app_public.location': { hospital_id: ':hospital', name: "'One more'" },
  'app_public.doctor': { hospital_id: ':hospital', display_name: "'One more'" },
  'app_public.patient': {
    hospital_id: ':hospital',
    medical_record_number: "'one more'",
    name: "'One more'",
    phone: 'null',
    email: 'null',
    date_of_birth: 'null',
  },
  'app_public.account': {
    hospital_id: ':hospital',
    email: "'one@more.test'",
    display_name: "'One more'",
    role: "'admin'",
  },
  'app_public.service': { hospital_id: ':hospital', name: "'One more'" },
  'app_public.schedule': {
    hospital_id: ':hospital',
    doctor_id: ':doctor',
    location_id: ':location',
    weekday: '1',
    start_time: "'20:00'",
    end_time: "'21:00'",
  },
  'app_public.slot': {
    hospital_id: ':hospital',
    doctor_id: ':doctor',
    location_id: ':location',
    schedule_id: 'null',
    during: "'[2100-01-01 09:00+00, 2100-01-01 10:00+00)'",
    capacity: '1',
  },
  'app_public.absence': {
    hospital_id: ':hospital',
    doctor_id: ':doctor',
    type: "'conference'",
    first_day: "'2098-01-01'",
    last_day: "'2098-01-02'",
    start_time: 'null',
    end_time: 'null',
    reason: "'one more'",
  },
  'app_public.holiday': {
    hospital_id: ':hospital',
    name: "'One more'",
    date: "'2098-03-03'",
    is_recurring: 'false',
  },
  'app_public.doctor_day': {
    hospital_id: ':hospital',
    doctor_id: ':doctor',
    day: "'2100-01-01'",
    max_patients: '1',
  },
  'app_public.appointment': {
    hospital_id: ':hospital',
    slot_id: ':adjacent_slot',
    patient_id: ':patient',
    service_id: ':service',
    reason: "'one more'",
    status: "'scheduled'",
    idempotency_key: 'gen_random_uuid()',
    request_fingerprint: "'x'",
  },
  'app_public.appointment_seat': {
    hospital_id: ':hospital',
    appointment_id: ':long_visit',
    slot_id: ':free_slot',
    doctor_id: ':doctor',
    location_id: ':location',
  },
  'app_public.added_seat': {
    hospital_id: ':hospital',
    slot_id: ':slot',
    doctor_id: ':doctor',
    reason: "'one more'",
    added_at: 'now()',
  },
  'app_public.no_show_log': {
    hospital_id: ':hospital',
    appointment_id: ':second_appointment',
    patient_id: ':second_patient',
    doctor_id: ':doctor',
    reason: "'manual_staff'",
    slot_starts_at: 'now()',
    timeout_minutes: '30',
    status_before: "'scheduled'",
    is_slot_released: 'false',
    is_patient_notified: 'true',
    has_blocked_patient: 'false',
    marked_at: 'now()',
  },
  'app_public.patient_block': {
    hospital_id: ':hospital',
    patient_id: ':patient',
    reason: "'x'",
    is_automatic: 'false',
    blocked_at: 'now()',
  },
  'app_public.vitals_entry': {
    hospital_id: ':hospital',
    appointment_id: ':checked_in',
    heart_rate: '72',
  },
  'app_public.appointment_series': {
    hospital_id: ':hospital',
    patient_id: ':patient',
    doctor_id: ':doctor',
    service_id: ':service',
    first_starts_at: "'2100-01-01 09:00+00'",
    every_days: '7',
    occurrence_count: '2',
    is_all_or_nothing: 'true',
    reason: "'one more'",
    idempotency_key: 'gen_random_uuid()',
    request_fingerprint: "'x'",
  },
  'app_public.series_occurrence': {
    hospital_id: ':hospital',
    series_id: ':series',
    number: '3',
    patient_id: ':patient',
    doctor_id: ':doctor',
    starts_at: "'2100-01-01 09:00+00'",
    appointment_id: 'null',
    scenario: "'slot_booked'",
    details: "'{}'",
  },
  'app_public.appointment_move': {
    hospital_id: ':hospital',
    appointment_id: ':appointment',
    patient_id: ':patient',
    doctor_id: ':doctor',
    from_slot_id: ':moved_from',
    to_slot_id: ':slot',
    reason: "'one more'",
    moved_by: ':account',
    moved_at:
      'coalesce((select updated_at from app_public.appointment where id = :appointment), now())',
    idempotency_key: 'gen_random_uuid()',
    request_fingerprint: "'x'",
  },
  'app_public.notification': {
    hospital_id: ':hospital',
    patient_id: ':patient',
    event: "'appointment_booked'",
    priority: "'normal'",
    channels: "'{in_app}'",
    title: "'One more'",
    body: "'One more.'",
    appointment_id: ':appointment',
    created_at: 'now()',
    read_at: 'null',
  },
  'app_public.notification_delivery': {
    hospital_id: ':hospital',
    notification_id: ':second_notification',
    patient_id: ':patient',
    channel: "'email'",
    status: "'pending'",
    next_attempt_at: 'now()',
  },
  'app_public.notification_preference': {
    hospital_id: ':hospital',
    account_id: ':other_patient_account',
    topic: "'requests'",
    channel: "'email'",
    is_on: 'false',
  },
  'app_public.notification_setting': {
    hospital_id: ':hospital',
    account_id: ':other_patient_account',
    quiet_from: "'22:00'",
    quiet_until: "'07:00'",
    time_zone: 'null',
  },
  'app_private.undeliverable_address': {
    hospital_id: ':hospital',
    channel: "'email'",
    address_hash: "sha256('one more')",
    since: 'now()',
  },
  'app_public.notification_template': {
    event: "'one_more'",
    audience: "'patient'",
    priority: "'normal'",
    channels: "'{in_app}'",
    title: "'One more'",
    body: "'One more.'",
  },
  'app_public.waitlist_entry': {
    hospital_id: ':hospital',
    patient_id: ':patient',
    doctor_id: ':other_doctor',
    specialty: 'null',
    service_id: ':service',
    location_id: ':location',
    first_day: 'current_date + 1',
    last_day: 'current_date + 20',
    earliest_time: "'10:00'",
    latest_time: "'16:00'",
    reason: "'one more'",
  },
  'app_public.import_run': {
    hospital_id: ':hospital',
    id: 'gen_random_uuid()',
    kind: "'patients'",
    file_name: "'one-more.csv'",
    row_count: '1',
    fingerprint: "'one more'",
  },
  'app_public.imported_row': {
    hospital_id: ':hospital',
    run_id: ':import_run',
    row_number: '3',
    record_id: ':patient',
    external_id: "'one more'",
  },
  'app_private.import_row': {
    hospital_id: ':hospital',
    run_id: ':import_run',
    row_number: '3',
    fields: "'{}'",
    found: "'{}'",
    faults: "'{}'",
  },
  'app_public.waitlist_offer': {
    hospital_id: ':hospital',
    entry_id: ':wait',
    patient_id: ':fourth_patient',
    doctor_id: ':doctor',
    slot_id: ':second_held_slot',
    appointment_id: ':second_held',
    offered_at: 'now()',
  },
  'app_public.review_item': {
    hospital_id: ':hospital',
    reason: "'a_check'",
    priority: '1',
    entity_type: "'slot'",
    detail: "'One more.'",
    status: "'pending'",
    claimed_by: 'null',
    note: 'null',
  },
  'app_public.health_alert': {
    hospital_id: ':hospital',
    check_name: "'a_check'",
    severity: "'critical'",
    title: "'One more'",
    detail: "'One more.'",
    status: "'active'",
    note: 'null',
  },
  'app_private.health_alert_delivery': {
    hospital_id: ':hospital',
    channel: "'chat'",
    room: "'health'",
    check_name: "'a_check'",
    alert_ids: 'array[gen_random_uuid()]',
    title: "'One more'",
    body: "'One more.'",
    next_attempt_at: 'now()',
  },
  'app_private.health_digest_mark': {
    hospital_id: ':empty_hospital',
    reached_at: 'now()',
    reached_before: "now() - interval '4 hours'",
  },
  'app_public.health_report': {
    hospital_id: ':hospital',
    day: "'2026-01-02'",
    figures: "'{}'",
    text: "'One more.'",
  },
  'app_public.stage_alert': {
    hospital_id: ':hospital',
    appointment_id: ':checked_in',
    kind: "'no_doctor'",
    waiting_since: "now() - interval '3 hours'",
    due_at: "now() - interval '2 hours'",
    note: "'one more'",
  },
  'app_public.consultation': {
    hospital_id: ':hospital',
    id: 'gen_random_uuid()',
    appointment_id: ':checked_in',
  },
  'app_public.consultation_participant': {
    hospital_id: ':hospital',
    consultation_id: ':consultation',
    doctor_id: ':other_doctor',
    role: "'assisting'",
  },
  'app_public.consultation_addendum': {
    hospital_id: ':hospital',
    consultation_id: ':completed_consultation',
    text: "'one more'",
  },
  'app_public.record_access': {
    hospital_id: ':hospital',
    patient_id: ':patient',
    account_id: ':account',
    reader_role: "'doctor'",
    reader_name: "'one more'",
    part: "'patient_record'",
    purpose: "'one more'",
    accessed_at: 'now()',
  },
  'app_public.appointment_archive': {
    hospital_id: ':hospital',
    id: 'gen_random_uuid()',
    doctor_id: ':doctor',
    patient_id: ':patient',
    starts_at: "'2001-01-01 09:00+00'",
    ends_at: "'2001-01-01 10:00+00'",
    status: "'completed'",
    source: "'import'",
    created_at: "'2001-01-01'",
    updated_at: "'2001-01-01'",
    archived_at: 'now()',
  },
  'app_public.invitation': {
    hospital_id: ':hospital',
    email: "'one.more@invited.test'",
    display_name: "'One more'",
    role: "'nurse'",
    doctor_id: 'null',
  },
  'app_public.security_event': { hospital_id: ':hospital', kind: "'login'", account_id: ':admin' },
  'app_public.emergency_access': {
    hospital_id: ':hospital',
    account_id: ':admin',
    patient_id: ':patient',
    reason: "'an emergency, one more'",
    granted_at: 'now()',
    expires_at: "now() + interval '1 hour'",
  },
  'app_public.appointment_reminder': {
    hospital_id: ':hospital',
    appointment_id: ':appointment',
    starts_at: "'2100-01-01 09:00+00'",
    lead_time: "'1 hour'",
    notification_id: ':notification',
    created_at: 'now()',
  },
  'app_private.reminder_mark': { hospital_id: ':empty_hospital', reached_at: 'now()' },
  'app_public.calendar_feed': {
    hospital_id: ':hospital',
    account_id: ':patient_account',
    revoked_at: 'null',
  },
  'app_private.calendar_feed_secret': {
    hospital_id: ':hospital',
    token_hash: "sha256('one more')",
    feed_id: ':bare_feed',
  },
  'app_public.audit_entry': {
    hospital_id: ':hospital',
    table_name: "'slot'",
    record_id: ':slot',
    operation: "'delete'",
    actor_role: "'admin'",
    transaction_id: '1',
    recorded_at: 'now()',
  },
  'app_public.audit_seal': {
    hospital_id: ':hospital',
    number: '98',
    kind: "'entries'",
    batch_number: '98',
    patient_id: 'null',
    entry_count: '1',
    first_entry_id: '1',
    last_entry_id: '1',
    entries_hash: "'x'",
    replaced_hash: 'null',
    previous_hash: "'x'",
    hash: "'x'",
    sealed_at: 'now()',
  },
  'app_private.audit_seal_content': {
    hospital_id: ':hospital',
    seal_id: ':bare_seal',
    entry_ids: "'{1}'",
    salts: "'{x}'",
    digests: "'{x}'",
  },
  'app_private.audit_seal_mark': { hospital_id: ':empty_hospital' },
  'app_private.outbox': {
    hospital_id: ':hospital',
    topic: "'slots'",
    key: "'x'",
    payload: "'{}'",
  },
  'app_private.account_secret': {
    hospital_id: ':hospital',
    account_id: ':admin',
    password_hash: "'$argon2id$…'",
  },
  'app_private.session': {
    hospital_id: ':hospital',
    account_id: ':admin',
    expires_at: 'now()',
  },
  'app_private.refresh_token': {
    hospital_id: ':hospital',
    token_hash: "'\\x00'",
    session_id: ':session',
  },
  'app_private.login_token': {
    hospital_id: ':hospital',
    token_hash: "'\\x00'",
    purpose: "'password_reset'",
    account_id: ':admin',
    expires_at: 'now()',
  },
  'app_private.outgoing_mail': {
    hospital_id: ':hospital',
    address: "'x@y.test'",
    subject: "'x'",
    body: "'x'",
    expires_at: 'now()',
  },
  'app_private.second_factor': {
    hospital_id: ':hospital',
    account_id: ':admin',
    sealed_secret: "'v1.x.y'",
  },
  'app_private.recovery_code': {
    hospital_id: ':hospital',
    account_id: ':doctor_account',
    code_hash: "'\\x00'",
  },
  'app_public.webhook_event': { name: "'thing.happened'", description: "'One more'" },
  'app_public.webhook_subscription': {
    hospital_id: ':hospital',
    name: "'one more'",
    url: "'https://one.more.test/in'",
    events: `'{"appointment.booked"}'`,
    status: "'active'",
    consecutive_failures: '0',
    failing_since: 'null',
    secret_rotated_at: 'null',
  },
  'app_private.webhook_secret': {
    hospital_id: ':hospital',
    subscription_id: ':bare_webhook',
    secret: "'whsec_' || encode(sha256('one more'), 'base64')",
  },
  'app_public.webhook_delivery': {
    hospital_id: ':hospital',
    subscription_id: ':webhook',
    event: "'webhook.test'",
    status: "'pending'",
  },
  'app_public.job': {
    name: "'one_more'",
    description: "'One more'",
    stuck_after: "'5 minutes'",
    is_of_hospital: 'true',
    is_single: 'false',
    is_counted: 'false',
    is_manual: 'false',
    is_external: 'false',
  },
  'app_public.job_run': {
    hospital_id: ':hospital',
    job: "'expire_waits'",
    started_by: "'manual'",
    outcome: "'waiting'",
  },
  'app_private.job_state': {
    hospital_id: ':hospital',
    job: "'one_more'",
    consecutive_failures: '0',
    last_started_at: 'now()',
    last_finished_at: 'now()',
    last_outcome: "'succeeded'",
  },
  'app_private.job_hour': {
    hospital_id: ':hospital',
    job: "'one_more'",
    hour: "'2001-01-01'",
    runs: '1',
    failures: '0',
    items: '0',
    total_ms: '0',
    longest_ms: '0',
  },
  'app_public.health_check': {
    name: "'one_more'",
    domain: "'samples'",
    severity: "'info'",
    entity_type: "'slot'",
    title: "'One more'",
    meaning: "'x'",
    importance: "'x'",
    resolution: "'x'",
    remedy: "'review'",
    is_event_driven: 'false',
  },
  'app_public.check_run': {
    hospital_id: ':hospital',
    trigger: "'manual'",
    check_names: "'{}'",
    started_at: 'now()',
    finished_at: 'now()',
    duration_ms: '0',
    finding_count: '0',
    new_count: '0',
    resolved_count: '0',
  },
  'app_public.check_result': {
    hospital_id: ':hospital',
    run_id: ':check_run',
    check_name: "'one_more'",
    row_count: '0',
    duration_ms: '0',
  },
  'app_public.finding': {
    hospital_id: ':hospital',
    check_name: "'one_more'",
    severity: "'critical'",
    entity_type: "'slot'",
    cache_key: "'one_more'",
    detail: "'x'",
    metadata: "'{}'",
    first_seen_at: 'now()',
    last_seen_at: 'now()',
    times_seen: '1',
  },
  'app_private.rate_limit': { key: "'x'" },
  'app_private.clock_shift': { shift: "'1 hour'" },
  'app_private.guard': {
    kind: "'trigger'",
    object: "'app_public.slot'",
    name: "'nothing_happens'",
    definition: "''",
  },
  'app_private.process_heartbeat': {
    process_id: "'x'",
    kind: "'server'",
    environment: "'test'",
    started_at: 'now()',
    beaten_at: 'now()',
  },
  'app_public.log_entry': {
    hospital_id: ':hospital',
    kind: "'operation'",
    level: "'info'",
    name: "'x'",
    outcome: "'succeeded'",
    message: "'x succeeded.'",
  },
  'app_private.worker_heartbeat': { worker_id: "'x'", started_at: 'now()', beaten_at: 'now()' },
};

/** The rows of a table that belong to a hospital, as a condition. */
export function ofHospital(table: string, hospital: string): string {
  if (table === 'app_public.hospital') return `id = ${hospital}`;
  return rows[table]?.hospital_id === undefined ? 'true' : `hospital_id = ${hospital}`;
}

/** The insert of a table's valid row, or of only some of its columns. */
export function insertInto(
  table: string,
  names: World['names'],
  columns: readonly string[] = Object.keys(rows[table] ?? {}),
): string {
  const row = rows[table] ?? {};
  const values = columns.map((column) => row[column] ?? 'default');
  return spell(`insert into ${table} (${columns.join(', ')}) values (${values.join(', ')})`, names);
}

/** What came of an attempt: rows reached, or the code of the refusal. Nothing of it stays. */
export async function attempt(db: ClientBase, sql: string): Promise<number | string> {
  await db.query('savepoint attempt');
  try {
    const { rowCount } = await db.query(sql);
    return rowCount ?? 0;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await db.query('rollback to savepoint attempt');
  }
}

/** Columns of a table that the role may insert or update. */
export async function columnsGranted(
  db: ClientBase,
  table: string,
  role: string,
  privilege: 'insert' | 'update',
): Promise<string[]> {
  await asOwner(db);
  const { rows: granted } = await db.query<{ column: string }>(
    `select attname as column from pg_catalog.pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped
       and has_column_privilege($2, attrelid, attnum, $3) order by attnum`,
    [table, role, privilege],
  );
  return granted.map(({ column }) => column);
}
