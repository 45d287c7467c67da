/** An attack on one constraint, by hand in psql. */
export type Attack = {
  /** Statements that the constraint refuses; `:name` is a row of the world. */
  by: readonly string[];
  /** Who refuses first while everything is on, where it is not the constraint itself. */
  first?: string;
};

const set = (table: string, id: string, ...changes: readonly string[]): string[] =>
  changes.map((change) => `update app_public.${table} set ${change} where id = :${id}`);

const check = (...changes: readonly string[]): string[] =>
  changes.map(
    (change) => `update app_public.health_check set ${change} where name = 'check_of_the_world'`,
  );

/** A hospital that does not exist, in a row that is right otherwise. */
const homeless = (table: string, columns: string, values: string): Attack => ({
  by: [`insert into app_public.${table} (hospital_id, ${columns}) values (:unknown, ${values})`],
});

const schedule = (values: string): string =>
  `insert into app_public.schedule (hospital_id, doctor_id, location_id, weekday, start_time, end_time)
   values (:hospital, ${values})`;

const slot = (change: string): string =>
  `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
   select hospital_id, doctor_id, location_id, ${change} from app_public.slot where id = :last_slot`;

const seal = (values: string): string =>
  `insert into app_public.audit_seal (
     hospital_id, number, kind, batch_number, patient_id, entry_count, replaced_hash, previous_hash,
     first_entry_id, last_entry_id, entries_hash, hash, sealed_at)
   values (:hospital, ${values}, 1, 1, 'x', 'x', now())`;

const absence = (values: string): string =>
  `insert into app_public.absence (
     hospital_id, doctor_id, type, first_day, last_day, start_time, end_time, during)
   select :hospital, doctor::uuid, type::app_public.absence_type, first_day::date, last_day::date,
     start_time::time, end_time::time, tstzrange(
       first_day::timestamp at time zone 'Asia/Kolkata',
       (greatest(first_day::date, last_day::date) + 1)::timestamp at time zone 'Asia/Kolkata')
   from (values (${values})) as wanted (doctor, type, first_day, last_day, start_time, end_time)`;

const holiday = (values: string): string =>
  `insert into app_public.holiday (hospital_id, name, date, is_recurring) values (:hospital, ${values})`;

const visit = (slotName: string, patientName: string): string =>
  `insert into app_public.appointment (
     hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_at, updated_at)
   select hospital_id, id, doctor_id, location_id, :${patientName}, during, 'scheduled', 'import', now(), now()
   from app_public.slot where id = :${slotName}`;

const wait = (firstDay: string, lastDay: string): string =>
  `insert into app_public.waitlist_entry (hospital_id, patient_id, doctor_id, first_day, last_day)
   select hospital_id, patient_id, doctor_id, ${firstDay}, ${lastDay} from app_public.waitlist_entry where id = :wait`;

const offer = (entry: string, appointment: string, outcome: string): string =>
  `insert into app_public.waitlist_offer (
     hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, outcome, offered_at, decided_at)
   select hospital_id, ${entry}, patient_id, doctor_id, slot_id, ${appointment}, ${outcome}, offered_at,
     case when ${outcome} <> 'open' then now() end
   from app_public.waitlist_offer where id = :offer`;

const logEntry = (outcome: string, duration: string, message: string): string =>
  `insert into app_public.log_entry (hospital_id, kind, level, name, outcome, duration_ms, message)
   values (:hospital, 'operation', 'info', 'x', ${outcome}, ${duration}, ${message})`;

/** A copy of the series with this id and key. */
const series = (idAndKey: string): string =>
  `insert into app_public.appointment_series (
     id, idempotency_key, hospital_id, patient_id, doctor_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing, created_at)
   select ${idAndKey}, hospital_id, patient_id, doctor_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing, now()
   from app_public.appointment_series where id = :series`;

const occurrence = (...changes: readonly string[]): string[] =>
  changes.map(
    (change) => `update app_public.series_occurrence set ${change} where series_id = :series`,
  );

const participant = (hospital: string, consultation: string, doctor: string): string =>
  `insert into app_public.consultation_participant (hospital_id, consultation_id, patient_id, doctor_id, role, added_at)
   values (${hospital}, ${consultation}, :patient, ${doctor}, 'assisting', now())`;

const addendum = (hospital: string, consultation: string, text: string): string =>
  `insert into app_public.consultation_addendum (hospital_id, consultation_id, patient_id, text, added_at)
   values (${hospital}, ${consultation}, :patient, ${text}, now())`;

const access = (values: string): string =>
  `insert into app_public.record_access (
     hospital_id, reader_role, reader_name, accessed_at, patient_id, account_id, part, consultation_id, purpose)
   values (:hospital, 'doctor', 'x', now(), ${values})`;
type Values = Readonly<Record<string, string>>;
const inserting = (table: string, right: Values, wrong: readonly Values[]): string[] =>
  wrong.map((each) => {
    const row = { hospital_id: ':hospital', ...right, ...each };
    return `insert into app_public.${table} (${Object.keys(row)}) values (${Object.values(row)})`;
  });

const review = (...wrong: readonly Values[]): string[] =>
  inserting(
    'review_item',
    { reason: "'x'", priority: '1', entity_type: "'slot'", detail: "'x'" },
    wrong,
  );

const healthAlert = (...wrong: readonly Values[]): string[] =>
  inserting(
    'health_alert',
    { check_name: "'x'", severity: "'critical'", title: "'x'", detail: "'x'" },
    wrong,
  );

const invitation = (email: string): string =>
  `insert into app_public.invitation (hospital_id, email, display_name, role)
   values (:hospital, ${email}, 'x', 'nurse')`;

const securityEvent = (column: string, value: string): string =>
  `insert into app_public.security_event (hospital_id, kind, ${column}) values (:hospital, 'login', ${value})`;

/** Attacks by the name of the constraint. Primary keys and not null are attacked by a rule instead. */
export const attacks: Readonly<Record<string, Attack>> = {
  // error_catalog and appointment_transition
  a_code_is_one_of_ours: {
    by: ["update app_public.error_catalog set code = '23505' where scenario = 'forbidden'"],
  },
  a_scenario_is_a_snake_case_word: {
    by: [
      "update app_public.error_catalog set scenario = 'Not Allowed' where scenario = 'forbidden'",
      "update app_public.error_catalog set scenario = '' where scenario = 'forbidden'",
    ],
  },
  a_transition_is_for_somebody: {
    by: ["update app_public.appointment_transition set roles = '{}' where from_status = 'held'"],
  },
  a_transition_leads_elsewhere: {
    by: ["insert into app_public.appointment_transition values ('held', 'held', '{admin}')"],
  },
  a_transition_is_listed_once: {
    by: [
      "insert into app_public.appointment_transition values ('held', 'expired', '{admin}')",
      "insert into app_public.appointment_transition values (null, 'held', '{admin}')",
    ],
  },

  // review_item, health_alert and health_report
  the_reason_for_a_review_is_a_snake_case_word: {
    by: review({ reason: "'Of The World'" }, { reason: "''" }),
  },
  a_review_has_a_priority_from_1_to_5: { by: review({ priority: '0' }, { priority: '6' }) },
  a_review_item_note_is_short: { by: review({ note: "repeat('x', 2001)" }) },
  review_of_a_finding: {
    by: [
      `insert into app_public.review_item (hospital_id, finding_id, reason, priority, entity_type, detail)
       select :hospital, finding_id, 'x', 1, 'slot', 'x' from app_public.review_item where id = :foreign_review_item`,
    ],
  },
  review_claimed_by_an_account: {
    by: review({ status: "'in_review'", claimed_by: ':foreign_admin', claimed_at: 'now()' }),
  },
  review_decided_by_an_account: {
    by: review({
      status: "'resolved'",
      decided_by: ':foreign_admin',
      decided_at: 'now()',
      note: "'x'",
    }),
  },
  a_review_is_decided_with_a_note: {
    by: review(
      { status: "'resolved'", decided_at: 'now()' },
      { status: "'dismissed'", note: "'x'" },
      { decided_at: 'now()', note: "'x'" },
    ),
  },
  a_review_is_claimed_before_it_is_in_review: {
    by: review({ status: "'in_review'" }, { claimed_at: 'now()' }),
  },
  only_a_resolved_review_has_settled_itself: {
    by: review(
      { is_settled: 'true' },
      {
        is_settled: 'true',
        status: "'resolved'",
        decided_by: ':admin',
        decided_at: 'now()',
        note: "'x'",
      },
    ),
  },
  an_alert_was_raised: { by: healthAlert({ times_raised: '0' }) },
  an_alert_note_is_short: { by: healthAlert({ note: "repeat('x', 2001)" }) },
  health_alert_of_a_finding: {
    by: [
      `insert into app_public.health_alert (hospital_id, finding_id, check_name, severity, title, detail)
       select :hospital, finding_id, 'x', 'critical', 'x', 'x' from app_public.health_alert where id = :foreign_health_alert`,
    ],
  },
  health_alert_acknowledged_by_an_account: {
    by: healthAlert({ acknowledged_by: ':foreign_admin', acknowledged_at: 'now()' }),
  },
  health_alert_resolved_by_an_account: {
    by: healthAlert({
      status: "'resolved'",
      resolved_by: ':foreign_admin',
      resolved_at: 'now()',
    }),
  },
  a_health_alert_ends_when_it_is_resolved: {
    by: healthAlert({ status: "'resolved'" }, { resolved_at: 'now()' }),
  },
  a_health_alert_is_acknowledged_at_a_time: { by: healthAlert({ status: "'acknowledged'" }) },
  only_a_resolved_health_alert_has_settled_itself: {
    by: healthAlert(
      { is_settled: 'true' },
      {
        is_settled: 'true',
        status: "'resolved'",
        resolved_by: ':admin',
        resolved_at: 'now()',
      },
    ),
  },
  health_report_of_a_hospital: homeless('health_report', 'day, figures, text', "now(), '{}', 'x'"),
  the_figures_of_a_report_are_an_object: {
    by: ["update app_public.health_report set figures = '[]' where hospital_id = :hospital"],
  },
  a_quiet_period_of_alerts_lasts_a_minute_to_a_day: {
    by: set(
      'hospital',
      'hospital',
      "health_alert_quiet_period = '59 seconds'",
      "health_alert_quiet_period = '25 hours'",
    ),
  },
  a_chat_room_has_a_name: {
    by: set(
      'hospital',
      'hospital',
      "health_chat_room = ' '",
      "health_chat_room = repeat('x', 201)",
    ),
  },

  // stage_alert
  stage_alert_of_a_hospital: {
    ...homeless(
      'stage_alert',
      'appointment_id, patient_id, doctor_id, kind, waiting_since, due_at, raised_at',
      ":checked_in, :patient, :doctor, 'no_doctor', now(), now(), now()",
    ),
    first: 'appointment_not_found',
  },
  alert_about_an_appointment: {
    by: set('stage_alert', 'stage_alert', 'appointment_id = :foreign_appointment'),
    first: 'immutable_column',
  },
  alert_acknowledged_by_an_account: {
    by: set(
      'stage_alert',
      'stage_alert',
      'acknowledged_by = :foreign_admin, acknowledged_at = now()',
    ),
    first: 'an_acknowledged_alert_has_a_time',
  },
  alert_resolved_by_an_account: {
    by: set('stage_alert', 'stage_alert', 'resolved_by = :foreign_admin'),
    first: 'only_a_manual_resolution_has_a_resolver',
  },
  a_wait_raises_one_alert_of_a_kind: {
    by: [
      `insert into app_public.stage_alert (
         hospital_id, id, appointment_id, patient_id, doctor_id, kind, waiting_since, due_at, raised_at, status, resolved_at, resolution)
       select hospital_id, app_private.new_id(), appointment_id, patient_id, doctor_id, kind, waiting_since, due_at, raised_at,
         'resolved', now(), 'auto'
       from app_public.stage_alert where id = :stage_alert`,
    ],
    first: 'illegal_alert_transition',
  },
  an_alert_is_due_after_the_wait_began: {
    by: set('stage_alert', 'stage_alert', "due_at = waiting_since - interval '1 second'"),
    first: 'immutable_column',
  },
  an_alert_is_raised_when_it_is_due: {
    by: set('stage_alert', 'stage_alert', "raised_at = due_at - interval '1 second'"),
    first: 'immutable_column',
  },
  an_acknowledged_alert_has_a_time: {
    by: set('stage_alert', 'stage_alert', 'acknowledged_at = now()'),
  },
  only_an_acknowledged_alert_has_an_acknowledger: {
    by: set('stage_alert', 'stage_alert', 'acknowledged_by = :admin'),
  },
  a_resolved_alert_has_a_time_and_a_manner: {
    by: set('stage_alert', 'stage_alert', 'resolved_at = now()', "resolution = 'auto'"),
  },
  only_a_manual_resolution_has_a_resolver: {
    by: set('stage_alert', 'stage_alert', 'resolved_by = :admin'),
  },
  an_alert_note_is_at_most_2000_characters: {
    by: set('stage_alert', 'stage_alert', "note = repeat('x', 2001)"),
  },

  // consultation
  consultation_of_a_hospital: {
    ...homeless(
      'consultation',
      'appointment_id, patient_id, doctor_id, started_at, updated_at',
      ':checked_in, :patient, :doctor, now(), now()',
    ),
    first: 'appointment_not_found',
  },
  consultation_of_a_patient: {
    by: set('consultation', 'consultation', 'patient_id = :foreign_patient'),
    first: 'immutable_column',
  },
  consultation_with_a_doctor: {
    by: set('consultation', 'consultation', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  consultation_started_by_an_account: {
    by: set('consultation', 'consultation', 'started_by = :foreign_admin'),
    first: 'immutable_column',
  },
  a_chief_complaint_has_1_to_2000_characters: {
    by: set(
      'consultation',
      'consultation',
      "chief_complaint = ' '",
      "chief_complaint = repeat('x', 2001)",
    ),
  },
  a_diagnosis_is_never_empty: {
    by: set('consultation', 'consultation', "diagnosis = '{a,null}'", `diagnosis = '{""}'`),
  },
  a_consultation_has_at_most_50_diagnoses: {
    by: set('consultation', 'consultation', "diagnosis = array_fill('x'::text, array[51])"),
  },
  consultation_notes_have_at_most_20000_characters: {
    by: set('consultation', 'consultation', "notes = repeat('x', 20001)"),
  },
  an_abandon_reason_has_1_to_2000_characters: {
    by: set(
      'consultation',
      'consultation',
      "status = 'abandoned', ended_at = now() + interval '1 day', abandon_reason = ' '",
      "status = 'abandoned', ended_at = now() + interval '1 day', abandon_reason = repeat('x', 2001)",
    ),
  },
  an_ended_consultation_has_a_time: {
    by: set('consultation', 'completed_consultation', 'ended_at = null'),
    first: 'consultation_is_final',
  },
  a_consultation_ends_after_its_start: {
    by: set(
      'consultation',
      'completed_consultation',
      "ended_at = started_at - interval '1 second'",
    ),
    first: 'consultation_is_final',
  },
  a_completed_consultation_says_what_was_found: {
    by: set('consultation', 'completed_consultation', 'chief_complaint = null', "diagnosis = '{}'"),
    first: 'consultation_is_final',
  },
  an_abandoned_consultation_says_why: {
    by: set('consultation', 'consultation', "abandon_reason = 'x'"),
  },

  // consultation_participant
  participant_of_a_hospital: {
    by: [participant(':unknown', ':consultation', ':other_doctor')],
    first: 'consultation_not_found',
  },
  participant_of_a_consultation: {
    by: [participant(':hospital', ':foreign_consultation', ':other_doctor')],
    first: 'consultation_not_found',
  },
  participant_is_a_doctor: {
    by: [participant(':hospital', ':consultation', ':foreign_doctor')],
    first: 'doctor_not_found',
  },
  participant_added_by_an_account: {
    by: [
      'update app_public.consultation_participant set added_by = :foreign_admin where consultation_id = :consultation',
    ],
    first: 'immutable_column',
  },
  a_doctor_takes_part_once: {
    by: [participant(':hospital', ':consultation', ':doctor')],
    first: 'already_participating',
  },

  // consultation_addendum
  addendum_of_a_hospital: {
    by: [addendum(':unknown', ':completed_consultation', "'x'")],
    first: 'consultation_not_found',
  },
  addendum_of_a_consultation: {
    by: [addendum(':hospital', ':foreign_completed_consultation', "'x'")],
    first: 'consultation_not_found',
  },
  addendum_by_a_doctor: {
    by: set('consultation_addendum', 'addendum', 'doctor_id = :foreign_doctor'),
    first: 'consultation_is_final',
  },
  addendum_added_by_an_account: {
    by: set('consultation_addendum', 'addendum', 'added_by = :foreign_admin'),
    first: 'consultation_is_final',
  },
  an_addendum_has_1_to_10000_characters: {
    by: [
      addendum(':hospital', ':completed_consultation', "' '"),
      addendum(':hospital', ':completed_consultation', "repeat('x', 10001)"),
    ],
  },

  // record_access
  record_access_of_a_hospital: homeless(
    'record_access',
    'patient_id, reader_role, reader_name, part, purpose, accessed_at',
    ":patient, 'doctor', 'x', 'patient_record', 'x', now()",
  ),
  record_access_of_a_patient: {
    by: [access(":foreign_patient, :admin, 'patient_record', null, 'x'")],
  },
  record_access_by_an_account: {
    by: [access(":patient, :foreign_admin, 'patient_record', null, 'x'")],
  },
  a_purpose_has_1_to_500_characters: {
    by: [
      access(":patient, :admin, 'patient_record', null, ' '"),
      access(":patient, :admin, 'patient_record', null, repeat('x', 501)"),
    ],
  },
  a_consultation_is_seen_by_its_name: {
    by: [
      access(":patient, :admin, 'consultation', null, 'x'"),
      access(":patient, :admin, 'patient_record', :consultation, 'x'"),
    ],
  },

  // hospital
  a_slug_names_one_hospital: {
    by: [
      'update app_public.hospital set slug = (select slug from app_public.hospital where id = :foreign_hospital) where id = :hospital',
    ],
  },
  a_slug_is_lower_case_letters_digits_and_dashes: {
    by: set('hospital', 'hospital', "slug = 'St. Mary'", "slug = '-a'", "slug = ''", "slug = 'ü'"),
  },
  a_hospital_has_a_name: {
    by: set('hospital', 'hospital', "name = '  '", "name = repeat('x', 201)"),
  },
  a_booking_horizon_is_1_to_365_days: {
    by: set('hospital', 'hospital', 'booking_horizon_days = 0', 'booking_horizon_days = 366'),
  },
  a_hold_lasts_up_to_an_hour: {
    by: set('hospital', 'hospital', "hold_duration = '0'", "hold_duration = '61 minutes'"),
  },
  slots_are_generated_1_to_365_days_ahead: {
    by: set('hospital', 'hospital', 'generated_days = 0', 'generated_days = 366'),
  },
  an_offer_lasts_5_minutes_to_3_days: {
    by: set(
      'hospital',
      'hospital',
      "offer_duration = '4 minutes'",
      "offer_duration = '3 days 1 second'",
    ),
  },
  past_years_are_kept_for_0_to_50_years: {
    by: set('hospital', 'hospital', 'kept_years = -1', 'kept_years = 51'),
  },
  a_rebook_buffer_is_not_negative: {
    by: set('hospital', 'hospital', "rebook_buffer = '-1 second'"),
  },
  a_no_show_threshold_is_positive: {
    by: set('hospital', 'hospital', 'no_show_block_threshold = 0'),
  },
  a_vitals_alert_buffer_is_not_negative: {
    by: set('hospital', 'hospital', "vitals_alert_buffer = '-1 second'"),
  },
  a_doctor_alert_buffer_is_not_negative: {
    by: set('hospital', 'hospital', "doctor_alert_buffer = '-1 second'"),
  },
  the_no_show_window_starts_before_it_ends: {
    by: set(
      'hospital',
      'hospital',
      "no_show_window_start = '22:00'",
      "no_show_window_end = '06:00'",
    ),
  },

  // location, service
  a_location_has_a_name: {
    by: set('location', 'location', "name = ' '", "name = repeat('x', 201)"),
  },
  a_location_name_is_unique_in_its_hospital: { by: set('location', 'annex', "name = 'Main'") },
  location_of_a_hospital: homeless('location', 'name', "'x'"),
  a_service_has_a_name: { by: set('service', 'service', "name = ' '", "name = repeat('x', 201)") },
  a_service_lasts_5_minutes_to_8_hours: {
    by: set('service', 'service', "duration = '4 minutes'", "duration = '481 minutes'"),
  },
  a_buffer_before_is_at_most_2_hours: {
    by: set('service', 'service', "buffer_before = '-1 second'", "buffer_before = '121 minutes'"),
  },
  a_buffer_after_is_at_most_2_hours: {
    by: set('service', 'service', "buffer_after = '-1 second'", "buffer_after = '121 minutes'"),
  },
  a_service_name_is_unique_in_its_hospital: {
    by: [
      `insert into app_public.service (hospital_id, name)
       select hospital_id, name from app_public.service where id = :service`,
    ],
  },
  service_of_a_hospital: homeless('service', 'name', "'x'"),

  // doctor
  a_doctor_has_a_name: {
    by: set('doctor', 'doctor', "display_name = ' '", "display_name = repeat('x', 201)"),
  },
  a_specialty_is_not_empty: {
    by: set('doctor', 'doctor', "specialty = ' '", "specialty = repeat('x', 101)"),
  },
  a_slot_lasts_5_minutes_to_8_hours: {
    by: set('doctor', 'doctor', "slot_duration = '4 minutes'", "slot_duration = '481 minutes'"),
  },
  a_daily_limit_is_1_to_500: {
    by: set('doctor', 'doctor', 'max_patients_per_day = 0', 'max_patients_per_day = 501'),
  },
  a_staff_number_is_not_empty: {
    by: set('doctor', 'doctor', "staff_number = ' '", "staff_number = repeat('x', 51)"),
  },
  a_staff_number_is_unique_in_its_hospital: {
    by: ["update app_public.doctor set staff_number = 'D1' where id in (:doctor, :other_doctor)"],
  },
  doctor_of_a_hospital: homeless('doctor', 'display_name', "'x'"),

  // patient
  a_medical_record_number_is_not_empty: {
    by: set('patient', 'patient', "medical_record_number = ' '"),
  },
  a_medical_record_number_is_unique_in_its_hospital: {
    by: set('patient', 'patient', "medical_record_number = 'MRN-2'"),
  },
  a_patient_has_a_name: { by: set('patient', 'patient', "name = ' '", "name = repeat('x', 201)") },
  a_phone_is_a_number: { by: set('patient', 'patient', "phone = 'call me'", "phone = '1'") },
  a_patient_email_is_a_lower_case_address: {
    by: set('patient', 'patient', "email = 'A@b.test'", "email = 'nobody'", "email = 'a b@c.test'"),
  },
  a_date_of_birth_is_plausible: { by: set('patient', 'patient', "date_of_birth = '1849-12-31'") },
  a_no_show_count_is_not_negative: {
    by: set('patient', 'patient', 'no_show_count = -1'),
    first: 'counter_is_derived',
  },
  a_blocked_patient_has_a_time_and_a_reason: {
    by: set(
      'patient',
      'patient',
      "status = 'blocked'",
      "status = 'blocked', blocked_at = now()",
      "blocked_reason = 'x', blocked_at = now()",
    ),
  },
  an_erasure_reason_is_at_most_2000_characters: {
    by: set(
      'patient',
      'newcomer',
      "name = 'Erased patient', medical_record_number = 'erased-' || id, is_active = false, erased_at = now(), erasure_reason = repeat('x', 2001)",
    ),
  },
  only_an_erased_patient_has_an_erasure_reason: {
    by: set('patient', 'patient', "erasure_reason = 'x'"),
  },
  an_erased_patient_is_nobody: {
    by: [
      'erased_at = now()',
      ...['name', 'phone', 'email', 'date_of_birth', 'blocked_reason', 'is_active'].map(
        (column) => `medical_record_number = 'erased-' || id, erased_at = now(),
          name = ${column === 'name' ? "'Somebody'" : "'Erased patient'"},
          phone = ${column === 'phone' ? "'+1 555 0100'" : 'null'},
          email = ${column === 'email' ? "'a@b.test'" : 'null'},
          date_of_birth = ${column === 'date_of_birth' ? "'2000-01-01'" : 'null'},
          status = ${column === 'blocked_reason' ? "'blocked', blocked_at = now(), blocked_reason = 'x'" : "'active'"},
          is_active = ${column === 'is_active'}`,
      ),
    ].flatMap((change) => set('patient', 'newcomer', change)),
  },
  patient_of_a_hospital: homeless('patient', 'medical_record_number, name', "'x', 'x'"),

  // account
  an_account_email_is_a_lower_case_address: {
    by: set('account', 'admin', "email = 'A@b.test'", "email = 'nobody'"),
  },
  an_account_has_a_name: { by: set('account', 'admin', "display_name = ' '") },
  an_email_is_one_account_in_its_hospital: {
    by: [
      'update app_public.account set email = (select email from app_public.account where id = :doctor_account) where id = :admin',
    ],
  },
  a_doctor_account_names_its_doctor: {
    by: set('account', 'doctor_account', 'doctor_id = null', "role = 'nurse'"),
    first: 'role_not_possible',
  },
  a_patient_account_names_its_patient: {
    by: [
      ...set('account', 'patient_account', 'patient_id = null'),
      ...set('account', 'admin', 'patient_id = :newcomer'),
    ],
  },
  a_doctor_has_one_account: {
    by: set('account', 'other_doctor_account', 'doctor_id = :doctor'),
    first: 'doctor_has_account',
  },
  a_patient_has_one_account: {
    by: set('account', 'other_patient_account', 'patient_id = :patient'),
  },
  account_is_this_doctor: {
    by: set('account', 'doctor_account', 'doctor_id = :foreign_doctor'),
    first: 'doctor_not_found',
  },
  account_is_this_patient: {
    by: set('account', 'patient_account', 'patient_id = :foreign_patient'),
  },
  account_of_a_hospital: homeless(
    'account',
    'email, display_name, role',
    "'x@y.test', 'x', 'admin'",
  ),

  // invitation
  an_invited_email_is_a_lower_case_address: { by: [invitation("'A@b.test'"), invitation("'b'")] },
  who_is_invited_has_a_name: { by: set('invitation', 'invitation', "display_name = ' '") },
  staff_are_invited_and_patients_are_not: {
    by: set('invitation', 'invitation', "role = 'patient'"),
    first: 'immutable_column',
  },
  an_invitation_of_a_doctor_names_the_doctor: {
    by: set('invitation', 'invitation', 'doctor_id = :doctor', "role = 'doctor'"),
    first: 'immutable_column',
  },
  an_accepted_invitation_has_its_account: {
    by: set('invitation', 'invitation', 'account_id = :admin', "status = 'accepted'"),
  },
  an_open_invitation_is_not_decided: {
    by: set('invitation', 'invitation', 'decided_at = now()'),
  },
  invitation_of_a_hospital: homeless(
    'invitation',
    'email, display_name, role',
    "'x@y.test', 'x', 'nurse'",
  ),
  invitation_of_a_doctor: {
    by: set('invitation', 'invitation', 'doctor_id = :unknown'),
    first: 'immutable_column',
  },
  invitation_by_an_account: {
    by: set('invitation', 'invitation', 'invited_by = :unknown'),
    first: 'immutable_column',
  },
  invitation_became_an_account: {
    by: set('invitation', 'invitation', "status = 'accepted', account_id = :unknown"),
  },

  // log_entry
  the_outcome_of_an_entry_is_known: { by: [logEntry("'perhaps'", 'null', "'x'")] },
  what_is_logged_takes_time: { by: [logEntry("'succeeded'", '-1', "'x'")] },
  a_log_message_is_short: { by: [logEntry("'succeeded'", 'null', "repeat('x', 1001)")] },
  the_log_is_kept_a_day_to_ten_years: {
    by: set('hospital', 'hospital', 'log_kept_days = 0', 'log_kept_days = 3651'),
  },

  // security_event
  security_event_of_a_hospital: homeless('security_event', 'kind', "'login'"),
  security_event_of_an_account: { by: [securityEvent('account_id', ':unknown')] },
  security_event_by_an_account: { by: [securityEvent('actor_account_id', ':unknown')] },
  a_security_event_knows_a_network_only: {
    by: [securityEvent('ip_prefix', "repeat('x', 51)")],
  },
  a_security_event_names_a_device_shortly: {
    by: [securityEvent('device', "repeat('x', 121)")],
  },
  security_events_are_kept_30_to_3650_days: {
    by: set(
      'hospital',
      'hospital',
      'security_events_kept_days = 29',
      'security_events_kept_days = 3651',
    ),
  },

  // emergency_access
  emergency_access_lasts_5_minutes_to_a_day: {
    by: set(
      'hospital',
      'hospital',
      "emergency_access_duration = '4 minutes'",
      "emergency_access_duration = '25 hours'",
    ),
  },
  an_emergency_is_explained: {
    by: set(
      'emergency_access',
      'emergency_access',
      "reason = 'short'",
      "reason = repeat('x', 2001)",
    ),
  },
  a_review_note_is_short: {
    by: set('emergency_access', 'emergency_access', "review_note = repeat('x', 2001)"),
  },
  a_reviewed_emergency_access_has_a_verdict: {
    by: set('emergency_access', 'emergency_access', 'reviewed_at = now()'),
  },
  nobody_reviews_their_own_emergency_access: {
    by: set('emergency_access', 'emergency_access', 'reviewed_by = account_id'),
  },
  emergency_access_ends_after_it_begins: {
    by: set('emergency_access', 'emergency_access', 'expires_at = granted_at'),
    first: 'immutable_column',
  },
  emergency_access_of_a_hospital: {
    ...homeless(
      'emergency_access',
      'account_id, patient_id, reason, granted_at, expires_at',
      ":admin, :patient, 'an emergency, one more', now(), now() + interval '1 hour'",
    ),
    first: 'patient_not_found',
  },
  emergency_access_of_an_account: {
    by: set('emergency_access', 'emergency_access', 'account_id = :unknown'),
    first: 'immutable_column',
  },
  emergency_access_to_a_patient: {
    by: set('emergency_access', 'emergency_access', 'patient_id = :unknown'),
    first: 'immutable_column',
  },
  emergency_access_revoked_by_an_account: {
    by: set('emergency_access', 'emergency_access', 'revoked_by = :unknown'),
  },
  emergency_access_reviewed_by_an_account: {
    by: set('emergency_access', 'emergency_access', 'reviewed_by = :unknown'),
  },

  // schedule
  a_weekday_is_1_monday_to_7_sunday: {
    by: set('schedule', 'schedule', 'weekday = 0', 'weekday = 8'),
  },
  a_slot_capacity_is_1_to_100: {
    by: set('schedule', 'schedule', 'slot_capacity = 0', 'slot_capacity = 101'),
  },
  a_schedule_starts_before_it_ends: {
    by: set(
      'schedule',
      'schedule',
      "break_start = null, break_end = null, end_time = '09:00'",
      "break_start = null, break_end = null, end_time = '08:00'",
    ),
  },
  a_break_has_both_ends: {
    by: set('schedule', 'schedule', 'break_start = null', 'break_end = null'),
  },
  a_break_lies_within_the_working_hours: {
    by: set(
      'schedule',
      'schedule',
      "break_start = '08:00'",
      "break_end = '17:01'",
      "break_end = '13:00'",
    ),
  },
  a_schedule_begins_before_it_expires: {
    by: set('schedule', 'schedule', "effective_until = '1999-12-31'"),
  },
  a_schedule_is_of_one_doctor_at_one_location: {
    by: [':duplicate schedule'],
    first: 'schedule_pkey',
  },
  schedules_of_a_doctor_never_overlap: {
    by: [
      schedule(":doctor, :location, 1, '16:59', '20:00'"),
      schedule(":doctor, :annex, 1, '08:00', '18:00'"),
    ],
  },
  schedule_of_a_doctor: {
    by: set('schedule', 'schedule', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  schedule_at_a_location: {
    by: set('schedule', 'schedule', 'location_id = :foreign_location'),
    first: 'immutable_column',
  },
  schedule_of_a_hospital: homeless(
    'schedule',
    'doctor_id, location_id, weekday, start_time, end_time',
    ":doctor, :location, 1, '18:00', '19:00'",
  ),

  // slot
  a_slot_is_a_bounded_stretch_of_time: {
    by: set(
      'slot',
      'free_slot',
      "during = tstzrange(starts_at, ends_at, '()')",
      "during = tstzrange(starts_at, ends_at, '[]')",
    ),
    first: 'immutable_column',
  },
  a_slot_has_room_for_1_to_100: { by: set('slot', 'free_slot', 'capacity = 0', 'capacity = 101') },
  a_slot_never_holds_more_than_its_capacity: {
    by: set('slot', 'slot', 'booked_count = 2', 'booked_count = -1'),
    first: 'counter_is_derived',
  },
  a_withdrawn_slot_is_empty: { by: set('slot', 'slot', 'withdrawn_at = now()') },
  a_blocked_slot_has_a_time_and_a_reason: {
    by: set('slot', 'free_slot', 'blocked_at = now()', "blocked_reason = 'x'"),
  },
  a_slot_is_of_one_doctor_at_one_location: { by: [':duplicate slot'], first: 'slot_pkey' },
  slots_of_a_doctor_never_overlap: {
    by: [
      slot("tstzrange(ends_at - interval '1 second', ends_at + interval '1 hour')"),
      slot('during'),
      slot("tstzrange(starts_at + interval '1 minute', ends_at - interval '1 minute')"),
    ],
  },
  slot_of_a_doctor: {
    by: set('slot', 'free_slot', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  slot_at_a_location: {
    by: set('slot', 'free_slot', 'location_id = :foreign_location'),
    first: 'immutable_column',
  },
  slot_from_a_schedule: { by: set('slot', 'free_slot', 'schedule_id = :foreign_schedule') },
  slot_of_a_hospital: homeless(
    'slot',
    'doctor_id, location_id, during',
    ":doctor, :location, '[2100-01-01 09:00+00, 2100-01-01 10:00+00)'",
  ),

  // doctor_day
  a_day_never_holds_more_than_its_limit: {
    by: [
      'update app_public.doctor_day set booked_count = max_patients + 1 where doctor_id = :doctor',
      'update app_public.doctor_day set booked_count = -1 where doctor_id = :doctor',
    ],
    first: 'counter_is_derived',
  },
  day_of_a_doctor: {
    by: ['update app_public.doctor_day set doctor_id = :foreign_doctor where doctor_id = :doctor'],
    first: 'immutable_column',
  },
  doctor_day_of_a_hospital: homeless(
    'doctor_day',
    'doctor_id, day, max_patients',
    ":doctor, '2100-01-01', 1",
  ),

  // appointment
  an_appointment_is_a_bounded_stretch_of_time: {
    by: set(
      'appointment',
      'request',
      "during = tstzrange(starts_at, ends_at, '()')",
      "during = tstzrange(starts_at, ends_at, '[]')",
    ),
  },
  a_reason_is_at_most_2000_characters: {
    by: set('appointment', 'appointment', "reason = repeat('x', 2001)"),
  },
  notes_are_at_most_10000_characters: {
    by: set('appointment', 'appointment', "notes = repeat('x', 10001)"),
  },
  a_cancellation_reason_is_at_most_2000_characters: {
    by: set('appointment', 'cancelled', "cancellation_reason = repeat('x', 2001)"),
  },
  a_seat_is_held_in_a_slot: {
    by: set('appointment', 'appointment', 'slot_id = null', 'slot_id = null, location_id = null'),
    first: 'slot_not_found',
  },
  a_request_has_no_slot_yet: {
    by: set('appointment', 'request', 'slot_id = :free_slot'),
    first: 'illegal_transition',
  },
  a_hold_has_an_end: { by: set('appointment', 'held', 'held_until = null') },
  a_checked_in_patient_has_a_time: { by: set('appointment', 'checked_in', 'checked_in_at = null') },
  vitals_come_after_check_in: {
    by: set(
      'appointment',
      'checked_in',
      "vitals_recorded_at = checked_in_at - interval '1 second'",
    ),
  },
  a_completed_visit_has_a_time: { by: set('appointment', 'appointment', 'completed_at = now()') },
  a_cancellation_has_a_time: {
    by: [
      ...set('appointment', 'appointment', 'cancelled_at = now()'),
      ...set('appointment', 'cancelled', 'cancelled_at = null'),
    ],
  },
  only_a_cancellation_has_a_canceller: {
    by: set('appointment', 'appointment', 'cancelled_by = :admin', "cancellation_reason = 'x'"),
  },
  a_patient_is_in_one_place_at_a_time: {
    by: [visit('same_time_slot', 'patient')],
    first: 'patient_double_booked',
  },
  an_idempotency_key_is_used_once_by_an_account: {
    by: set(
      'appointment',
      'second_appointment',
      'idempotency_key = (select idempotency_key from app_public.appointment where id = :appointment)',
    ),
    first: 'immutable_column',
  },
  appointment_in_a_slot: {
    by: set(
      'appointment',
      'appointment',
      'slot_id = :foreign_slot, doctor_id = :foreign_doctor, location_id = :foreign_location',
      'slot_id = :unknown',
    ),
    first: 'slot_not_found',
  },
  appointment_with_a_doctor: { by: set('appointment', 'request', 'doctor_id = :foreign_doctor') },
  appointment_at_a_location: {
    by: set('appointment', 'request', 'location_id = :foreign_location'),
  },
  appointment_of_a_patient: {
    by: set('appointment', 'appointment', 'patient_id = :foreign_patient'),
    first: 'immutable_column',
  },
  appointment_for_a_service: {
    by: set('appointment', 'appointment', 'service_id = :foreign_service'),
    first: 'immutable_column',
  },
  appointment_came_from_a_slot: {
    by: set('appointment', 'appointment', 'rescheduled_from = :foreign_slot'),
  },
  appointment_created_by_an_account: {
    by: set('appointment', 'appointment', 'created_by = :foreign_admin'),
    first: 'immutable_column',
  },
  appointment_cancelled_by_an_account: {
    by: set('appointment', 'cancelled', 'cancelled_by = :foreign_admin'),
  },
  appointment_of_a_hospital: {
    ...homeless(
      'appointment',
      'doctor_id, patient_id, during, status, source, created_at, updated_at',
      ":doctor, :patient, '[2100-01-01 09:00+00, 2100-01-01 10:00+00)', 'requested', 'import', now(), now()",
    ),
    first: 'patient_not_found',
  },
  a_cancellation_has_a_cause: {
    by: set('appointment', 'appointment', "cancellation_cause = 'staff'"),
  },
  a_patient_asks_a_doctor_once_for_a_time: {
    by: [
      `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status, source, created_at, updated_at)
       select hospital_id, doctor_id, patient_id, during, status, source, now(), now()
       from app_public.appointment where id = :request`,
    ],
  },

  appointment_of_a_series: {
    by: set('appointment', 'second_appointment', 'series_id = :series', 'series_id = :unknown'),
    first: 'immutable_column',
  },

  // appointment_series, series_occurrence
  a_series_repeats_every_1_to_366_days: {
    by: set('appointment_series', 'series', 'every_days = 0', 'every_days = 367'),
    first: 'immutable_column',
  },
  a_series_has_2_to_52_occurrences: {
    by: set('appointment_series', 'series', 'occurrence_count = 1', 'occurrence_count = 53'),
    first: 'immutable_column',
  },
  a_series_reason_is_at_most_2000_characters: {
    by: set('appointment_series', 'series', "reason = repeat('x', 2001)"),
  },
  a_series_is_of_one_patient: {
    by: [series('id, gen_random_uuid()')],
    first: 'appointment_series_pkey',
  },
  a_series_key_is_used_once_by_an_account: {
    by: [series('gen_random_uuid(), idempotency_key')],
  },
  series_of_a_patient: {
    by: set('appointment_series', 'series', 'patient_id = :foreign_patient'),
    first: 'immutable_column',
  },
  series_with_a_doctor: {
    by: set('appointment_series', 'series', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  series_for_a_service: {
    by: set('appointment_series', 'series', 'service_id = :foreign_service'),
    first: 'immutable_column',
  },
  series_created_by_an_account: {
    by: set('appointment_series', 'series', 'created_by = :foreign_admin'),
    first: 'immutable_column',
  },
  appointment_series_of_a_hospital: {
    ...homeless(
      'appointment_series',
      'patient_id, doctor_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing, created_at',
      ':patient, :doctor, now(), 7, 2, true, now()',
    ),
    first: 'patient_not_found',
  },
  an_occurrence_is_numbered_from_1: {
    by: occurrence('number = 0', 'number = 53'),
    first: 'immutable_column',
  },
  an_occurrence_is_booked_or_refused: {
    by: occurrence('scenario = null', 'appointment_id = :appointment'),
    first: 'immutable_column',
  },
  occurrence_of_a_series: {
    by: occurrence('series_id = :foreign_series', 'patient_id = :second_patient'),
    first: 'immutable_column',
  },
  occurrence_booked_as_an_appointment: {
    by: occurrence('appointment_id = :foreign_appointment'),
    first: 'immutable_column',
  },
  series_occurrence_of_a_hospital: {
    ...homeless(
      'series_occurrence',
      'series_id, number, patient_id, doctor_id, starts_at, scenario',
      ":series, 2, :patient, :doctor, now(), 'slot_booked'",
    ),
    first: 'forbidden',
  },

  // job and job_run
  a_job_is_a_snake_case_word: {
    by: [
      "update app_public.job set name = 'Plan Night' where name = 'plan_night'",
      "update app_public.job set name = '' where name = 'plan_night'",
    ],
  },
  a_job_says_what_it_does: {
    by: ["update app_public.job set description = ' ' where name = 'plan_night'"],
  },
  times_of_a_job_are_at_least_a_minute: {
    by: [
      "update app_public.job set stuck_after = '59 seconds' where name = 'plan_night'",
      "update app_public.job set expected_interval = '0' where name = 'plan_night'",
    ],
  },
  jobs_that_are_counted_run_beside_each_other: {
    by: ["update app_public.job set is_counted = true where name = 'sweep_waitlist'"],
  },
  the_crontab_runs_jobs_of_no_hospital: {
    by: ["update app_public.job set expected_interval = '1 hour' where name = 'expire_waits'"],
  },
  admins_ask_for_jobs_of_a_hospital: {
    by: ["update app_public.job set is_manual = true where name = 'plan_night'"],
  },
  schedulers_ask_for_jobs_of_no_hospital: {
    by: ["update app_public.job set is_external = true where name = 'expire_waits'"],
  },
  a_duration_is_not_negative: { by: set('job_run', 'job_run', 'duration_ms = -1') },
  items_of_a_run_are_not_negative: { by: set('job_run', 'job_run', 'items = -1') },
  an_error_of_a_run_is_short: { by: set('job_run', 'job_run', "error = repeat('x', 501)") },
  a_run_ends_when_its_outcome_is_known: {
    by: set('job_run', 'job_run', 'finished_at = null', "outcome = 'running'"),
  },
  hospitals_of_a_run_are_not_negative: {
    by: set(
      'job_run',
      'job_run',
      'hospitals = -1',
      'hospitals_done = -1',
      'hospitals_failed = -1',
      'items_done = -1',
    ),
  },
  run_requested_by_an_account: {
    by: set('job_run', 'job_run', 'requested_by = :foreign_admin'),
    first: 'immutable_column',
  },

  // health_check, check_run, check_result and finding
  a_check_is_a_snake_case_word: { by: check("name = 'Of The World'", "name = ''") },
  the_domain_of_a_check_is_a_snake_case_word: { by: check("domain = 'The World'", "domain = ''") },
  a_check_has_a_title: { by: check("title = ' '", "title = repeat('x', 101)") },
  a_check_says_what_it_means: { by: check("meaning = ' '") },
  a_check_says_why_it_matters: { by: check("importance = ' '") },
  a_check_says_how_to_resolve_it: { by: check("resolution = ' '") },
  a_check_that_repairs_names_its_function: {
    by: check("remedy = 'repair'", "repair = 'repair_x'"),
  },
  events_verify_what_they_change: { by: check("is_event_driven = true, entity_type = 'system'") },
  a_check_run_takes_time: { by: set('check_run', 'check_run', 'duration_ms = -1') },
  a_check_run_ends_after_it_starts: {
    by: set('check_run', 'check_run', "finished_at = started_at - interval '1 second'"),
    first: 'immutable_column',
  },
  a_check_run_counts_what_it_found: {
    by: set(
      'check_run',
      'check_run',
      'finding_count = -1',
      'new_count = -1',
      'new_count = finding_count + 1',
      'resolved_count = -1',
    ),
  },
  check_run_requested_by_an_account: {
    by: set('check_run', 'check_run', 'requested_by = :foreign_admin'),
    first: 'immutable_column',
  },
  a_check_result_counts_rows: {
    by: ['update app_public.check_result set row_count = -1 where run_id = :check_run'],
    first: 'immutable_column',
  },
  a_check_takes_time: {
    by: ['update app_public.check_result set duration_ms = -1 where run_id = :check_run'],
  },
  result_of_a_check_run: {
    by: [
      'update app_public.check_result set run_id = :foreign_check_run where run_id = :check_run',
    ],
    first: 'immutable_column',
  },
  a_finding_was_seen: { by: set('finding', 'finding', 'times_seen = 0') },
  repair_attempts_are_not_negative: { by: set('finding', 'finding', 'repair_attempts = -1') },
  a_problem_is_one_finding: {
    by: set('finding', 'finding', "cache_key = 'other'"),
    first: 'immutable_column',
  },
  finding_ignored_by_an_account: {
    by: set('finding', 'ignored_finding', 'ignored_by = :foreign_admin'),
  },
  a_finding_is_seen_first_and_then_again: {
    by: set('finding', 'finding', "last_seen_at = first_seen_at - interval '1 second'"),
  },
  a_finding_is_corrected_when_it_is_resolved: {
    by: set('finding', 'finding', 'is_auto_corrected = true'),
  },
  a_finding_is_ignored_with_a_reason: {
    by: set(
      'finding',
      'finding',
      'ignored_at = now()',
      "ignore_reason = 'x'",
      'ignored_by = :admin',
      'ignored_until = now()',
    ),
  },

  // import_run and imported_row
  a_file_name_is_1_to_255_characters: {
    by: set('import_run', 'import_run', "file_name = ' '", "file_name = repeat('x', 256)"),
    first: 'immutable_column',
  },
  an_import_has_rows: {
    by: set('import_run', 'import_run', 'row_count = 0'),
    first: 'immutable_column',
  },
  the_same_rows_are_imported_once: {
    by: [
      `insert into app_public.import_run (hospital_id, kind, row_count, fingerprint)
       select hospital_id, kind, row_count, fingerprint from app_public.import_run where id = :import_run`,
    ],
  },
  import_run_by_an_account: {
    by: set('import_run', 'import_run', 'created_by = :foreign_admin'),
    first: 'immutable_column',
  },
  import_run_of_a_hospital: homeless(
    'import_run',
    'kind, row_count, fingerprint',
    "'patients', 1, 'x'",
  ),
  rows_of_an_import_are_numbered_from_1: {
    by: [
      'update app_public.imported_row set row_number = 0 where run_id = :import_run and row_number = 1',
    ],
    first: 'immutable_column',
  },
  an_external_id_is_1_to_100_characters: {
    by: ["external_id = ' '", "external_id = repeat('x', 101)"].map(
      (change) =>
        `update app_public.imported_row set ${change} where run_id = :import_run and row_number = 1`,
    ),
    first: 'immutable_column',
  },
  imported_row_of_a_run: {
    by: [
      'update app_public.imported_row set run_id = :foreign_import_run where run_id = :import_run',
    ],
    first: 'immutable_column',
  },
  an_external_id_is_imported_once: {
    by: [
      `insert into app_public.imported_row (hospital_id, run_id, row_number, record_id, external_id)
       select hospital_id, run_id, 9, record_id, external_id from app_public.imported_row
       where run_id = :import_run and row_number = 1`,
    ],
  },

  // added_seat
  an_added_seat_has_a_reason: {
    by: set('added_seat', 'added_seat', "reason = ' '", "reason = repeat('x', 2001)"),
    first: 'immutable_column',
  },
  seat_added_to_a_slot: {
    by: set('added_seat', 'added_seat', 'slot_id = :foreign_slot'),
    first: 'immutable_column',
  },
  seat_added_to_a_doctor: {
    by: set('added_seat', 'added_seat', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  seat_added_by_an_account: {
    by: set('added_seat', 'added_seat', 'added_by = :foreign_admin'),
    first: 'immutable_column',
  },
  added_seat_of_a_hospital: {
    ...homeless('added_seat', 'slot_id, doctor_id, reason, added_at', ":slot, :doctor, 'x', now()"),
    first: 'slot_not_found',
  },

  // no_show_log
  a_no_show_comment_has_at_most_2000_characters: {
    by: set('no_show_log', 'no_show_log', "comment = repeat('x', 2001)"),
    first: 'log_follows_what_happened',
  },
  a_timeout_is_not_negative: {
    by: set('no_show_log', 'no_show_log', 'timeout_minutes = -1'),
    first: 'immutable_column',
  },
  only_an_expected_visit_is_missed: {
    by: set('no_show_log', 'no_show_log', "status_before = 'held'"),
    first: 'immutable_column',
  },
  an_undo_reason_has_at_most_2000_characters: {
    by: set('no_show_log', 'no_show_log', "undo_reason = repeat('x', 2001), undone_at = marked_at"),
    first: 'log_follows_what_happened',
  },
  only_an_undone_no_show_says_who_and_why: {
    by: set('no_show_log', 'no_show_log', "undo_reason = 'x'", 'undone_by = :admin'),
    first: 'log_follows_what_happened',
  },
  a_no_show_is_undone_after_it_was_marked: {
    by: set('no_show_log', 'no_show_log', "undone_at = marked_at - interval '1 second'"),
    first: 'log_follows_what_happened',
  },
  no_show_of_a_patient: {
    by: set('no_show_log', 'no_show_log', 'patient_id = :foreign_patient'),
    first: 'immutable_column',
  },
  no_show_at_a_doctor: {
    by: set('no_show_log', 'no_show_log', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  no_show_marked_by_an_account: {
    by: set('no_show_log', 'no_show_log', 'marked_by = :foreign_admin'),
    first: 'immutable_column',
  },
  no_show_undone_by_an_account: {
    by: set('no_show_log', 'no_show_log', 'undone_at = marked_at, undone_by = :foreign_admin'),
    first: 'log_follows_what_happened',
  },
  no_show_log_of_a_hospital: {
    ...homeless(
      'no_show_log',
      'appointment_id, patient_id, doctor_id, reason, slot_starts_at, timeout_minutes, status_before, is_slot_released, is_patient_notified, has_blocked_patient, marked_at',
      ":appointment, :patient, :doctor, 'auto_timeout', now(), 30, 'scheduled', false, true, false, now()",
    ),
    first: 'log_follows_what_happened',
  },

  // patient_block
  a_block_reason_has_1_to_2000_characters: {
    by: set('patient_block', 'patient_block', "reason = ' '", "reason = repeat('x', 2001)"),
    first: 'log_follows_what_happened',
  },
  an_unblock_reason_has_at_most_2000_characters: {
    by: set('patient_block', 'patient_block', "unblock_reason = repeat('x', 2001)"),
    first: 'log_follows_what_happened',
  },
  only_an_ended_block_says_who_and_why: {
    by: set(
      'patient_block',
      'patient_block',
      "unblocked_at = null, unblock_reason = 'x'",
      'unblocked_at = null, unblocked_by = :admin',
    ),
    first: 'log_follows_what_happened',
  },
  a_block_ends_after_it_began: {
    by: set('patient_block', 'patient_block', "unblocked_at = blocked_at - interval '1 second'"),
    first: 'log_follows_what_happened',
  },
  block_of_a_patient: {
    by: set('patient_block', 'patient_block', 'patient_id = :foreign_patient'),
    first: 'immutable_column',
  },
  block_by_an_account: {
    by: set('patient_block', 'patient_block', 'blocked_by = :foreign_admin'),
    first: 'immutable_column',
  },
  unblocked_by_an_account: {
    by: set('patient_block', 'patient_block', 'unblocked_by = :foreign_admin'),
    first: 'log_follows_what_happened',
  },
  patient_block_of_a_hospital: {
    ...homeless(
      'patient_block',
      'patient_id, reason, is_automatic, blocked_at',
      ":patient, 'x', false, now()",
    ),
    first: 'log_follows_what_happened',
  },
  no_more_is_forgiven_than_was_missed: {
    by: set('patient', 'patient', 'no_shows_forgiven = 1', 'no_shows_forgiven = -1'),
    first: 'counter_is_derived',
  },

  // vitals_entry
  a_systolic_pressure_is_30_to_300: {
    by: set(
      'vitals_entry',
      'vitals_entry',
      'systolic = 29, diastolic = 20',
      'systolic = 301, diastolic = 80',
    ),
    first: 'immutable_column',
  },
  a_diastolic_pressure_is_10_to_250: {
    by: set(
      'vitals_entry',
      'vitals_entry',
      'systolic = 100, diastolic = 9',
      'systolic = 290, diastolic = 251',
    ),
    first: 'immutable_column',
  },
  a_heart_rate_is_10_to_350: {
    by: set('vitals_entry', 'vitals_entry', 'heart_rate = 9', 'heart_rate = 351'),
    first: 'immutable_column',
  },
  a_respiratory_rate_is_2_to_120: {
    by: set('vitals_entry', 'vitals_entry', 'respiratory_rate = 1', 'respiratory_rate = 121'),
    first: 'immutable_column',
  },
  an_oxygen_saturation_is_30_to_100: {
    by: set('vitals_entry', 'vitals_entry', 'oxygen_saturation = 29', 'oxygen_saturation = 101'),
    first: 'immutable_column',
  },
  a_temperature_is_20_to_45: {
    by: set('vitals_entry', 'vitals_entry', 'temperature = 19.9', 'temperature = 45.1'),
    first: 'immutable_column',
  },
  a_weight_is_above_0_and_up_to_700: {
    by: set('vitals_entry', 'vitals_entry', 'weight = 0', 'weight = 700.01'),
    first: 'immutable_column',
  },
  a_height_is_15_to_280: {
    by: set('vitals_entry', 'vitals_entry', 'height = 14.9', 'height = 280.1'),
    first: 'immutable_column',
  },
  vitals_measure_something: {
    by: set('vitals_entry', 'vitals_entry', 'heart_rate = null'),
    first: 'immutable_column',
  },
  a_blood_pressure_has_both_values: {
    by: set('vitals_entry', 'vitals_entry', 'systolic = 120', 'diastolic = 80'),
    first: 'immutable_column',
  },
  a_systolic_pressure_is_the_higher: {
    by: set('vitals_entry', 'vitals_entry', 'systolic = 80, diastolic = 80'),
    first: 'immutable_column',
  },
  a_vitals_note_has_at_most_2000_characters: {
    by: set('vitals_entry', 'vitals_entry', "note = repeat('x', 2001)"),
  },
  vitals_of_a_patient: {
    by: set('vitals_entry', 'vitals_entry', 'patient_id = :foreign_patient'),
    first: 'immutable_column',
  },
  vitals_for_a_doctor: {
    by: set('vitals_entry', 'vitals_entry', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  vitals_recorded_by_an_account: {
    by: set('vitals_entry', 'vitals_entry', 'recorded_by = :foreign_admin'),
    first: 'immutable_column',
  },
  vitals_correct_earlier_ones: {
    by: set('vitals_entry', 'vitals_entry', 'corrects = :foreign_vitals_entry'),
    first: 'immutable_column',
  },
  a_measurement_is_corrected_once: {
    by: [
      `insert into app_public.vitals_entry (
         hospital_id, appointment_id, patient_id, doctor_id, corrects, heart_rate, recorded_at)
       select hospital_id, appointment_id, patient_id, doctor_id, id, 71, recorded_at
       from app_public.vitals_entry cross join generate_series(1, 2) where id = :vitals_entry`,
    ],
    first: 'vitals_not_found',
  },
  vitals_of_a_hospital: {
    ...homeless(
      'vitals_entry',
      'appointment_id, patient_id, doctor_id, heart_rate, recorded_at',
      ':checked_in, :patient, :doctor, 70, now()',
    ),
    first: 'appointment_not_found',
  },

  // appointment_seat
  seat_of_an_appointment: {
    by: [
      'update app_public.appointment_seat set appointment_id = :foreign_appointment where appointment_id = :long_visit',
    ],
    first: 'counter_is_derived',
  },
  seat_in_a_slot: {
    by: ['slot_id = :foreign_slot', 'doctor_id = :doctor', 'location_id = :annex'].map(
      (change) =>
        `update app_public.appointment_seat set ${change} where appointment_id = :long_visit`,
    ),
    first: 'counter_is_derived',
  },
  appointment_seat_of_a_hospital: {
    ...homeless(
      'appointment_seat',
      'appointment_id, slot_id, doctor_id, location_id',
      ':long_visit, :slot, :doctor, :location',
    ),
    first: 'counter_is_derived',
  },

  // notification_template and notification
  an_event_is_a_snake_case_word: {
    by: ["'Not One'", "''"].map(
      (event) =>
        `update app_public.notification_template set event = ${event} where event = 'seat_offered'`,
    ),
  },
  an_audience_is_patient_doctor_or_staff: {
    by: [
      "update app_public.notification_template set audience = 'nurse' where event = 'seat_offered'",
    ],
  },
  channels_are_in_app_email_sms_and_chat: {
    by: [
      "update app_public.notification_template set channels = '{}'",
      "update app_public.notification_template set channels = '{in_app,fax}'",
    ],
  },
  a_template_has_a_title: { by: ["update app_public.notification_template set title = ' '"] },
  a_template_has_a_body: { by: ["update app_public.notification_template set body = ''"] },
  names_in_braces_stand_for_facts: {
    by: ["body = 'On {starts_at'", "body = 'On starts_at}'", "body = '{room}'", "title = '{}'"].map(
      (change) => `update app_public.notification_template set ${change}`,
    ),
  },
  read_notifications_are_kept_1_to_3650_days: {
    by: set(
      'hospital',
      'hospital',
      'notifications_kept_days = 0',
      'notifications_kept_days = 3651',
    ),
  },
  a_notification_has_one_recipient: {
    by: set('notification', 'notification', 'patient_id = null', 'doctor_id = :doctor'),
    first: 'immutable_column',
  },
  notification_to_a_patient: {
    by: set('notification', 'notification', 'patient_id = :foreign_patient'),
    first: 'immutable_column',
  },
  notification_to_a_doctor: {
    by: set('notification', 'notification', 'patient_id = null, doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  notification_to_an_account: {
    by: set('notification', 'notification', 'patient_id = null, account_id = :foreign_admin'),
    first: 'immutable_column',
  },
  notification_of_an_appointment: {
    by: set('notification', 'notification', 'appointment_id = :foreign_appointment'),
    first: 'immutable_column',
  },

  // notification_delivery
  delivery_attempts_are_not_negative: {
    by: set('notification_delivery', 'delivery', 'attempts = -1'),
  },
  a_delivery_outcome_is_a_snake_case_word: {
    by: set('notification_delivery', 'delivery', "outcome = 'Not one'", "outcome = ''"),
  },
  a_delivery_error_is_at_most_500_characters: {
    by: set('notification_delivery', 'delivery', "last_error = repeat('x', 501)"),
  },
  a_delivery_address_is_masked: {
    by: set('notification_delivery', 'delivery', "address = 'anna@example.org'"),
  },
  a_delivery_reference_is_at_most_500_characters: {
    by: set('notification_delivery', 'delivery', "reference = repeat('x', 501)"),
  },
  delivery_of_a_notification: {
    by: set('notification_delivery', 'delivery', 'notification_id = :unknown'),
    first: 'immutable_column',
  },
  a_notification_goes_out_once_by_each_channel: {
    by: [
      `insert into app_public.notification_delivery (hospital_id, notification_id, channel, next_attempt_at)
       select hospital_id, notification_id, channel, now() from app_public.notification_delivery where id = :delivery`,
    ],
  },
  only_a_pending_delivery_has_a_next_attempt: {
    by: set('notification_delivery', 'delivery', 'next_attempt_at = now()'),
  },
  only_a_delivery_being_sent_is_leased: {
    by: set(
      'notification_delivery',
      'delivery',
      'leased_until = now()',
      'lease = gen_random_uuid()',
    ),
  },
  an_ended_delivery_says_when_and_how: {
    by: set('notification_delivery', 'delivery', 'ended_at = null', 'outcome = null'),
  },
  what_is_in_the_inbox_is_delivered: {
    by: [
      `insert into app_public.notification_delivery (hospital_id, notification_id, channel, next_attempt_at)
       values (:hospital, :second_notification, 'in_app', now())`,
    ],
  },

  // notification_preference and notification_setting
  a_preference_is_about_a_snake_case_word: {
    by: [
      `insert into app_public.notification_preference (hospital_id, account_id, topic, channel, is_on)
       values (:hospital, :patient_account, 'Not one', 'email', true)`,
    ],
    first: 'unknown_notification_topic',
  },
  the_inbox_is_always_on: {
    by: [
      `insert into app_public.notification_preference (hospital_id, account_id, topic, channel, is_on)
       values (:hospital, :patient_account, 'all', 'in_app', true)`,
    ],
    first: 'notification_is_essential',
  },
  preference_of_an_account: {
    by: [
      `insert into app_public.notification_preference (hospital_id, account_id, topic, channel, is_on)
       values (:hospital, :foreign_admin, 'all', 'email', true)`,
    ],
  },
  notification_setting_of_an_account: {
    by: [
      `insert into app_public.notification_setting (hospital_id, account_id) values (:hospital, :foreign_admin)`,
    ],
  },
  quiet_hours_have_a_start_and_an_end: {
    by: [
      `update app_public.notification_setting set quiet_until = null where hospital_id = :hospital`,
    ],
    first: 'quiet_hours_not_valid',
  },
  quiet_hours_do_not_last_all_day: {
    by: [
      `update app_public.notification_setting set quiet_until = quiet_from where hospital_id = :hospital`,
    ],
    first: 'quiet_hours_not_valid',
  },

  // appointment_move
  a_move_leads_to_another_slot: {
    by: [
      'update app_public.appointment_move set to_slot_id = from_slot_id where appointment_id = :appointment',
    ],
    first: 'immutable_column',
  },
  a_move_reason_is_at_most_2000_characters: {
    by: [
      "update app_public.appointment_move set reason = repeat('x', 2001) where appointment_id = :appointment",
    ],
  },
  a_move_key_is_used_once_by_an_account: {
    by: [
      `insert into app_public.appointment_move (
         hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, moved_by, moved_at, idempotency_key)
       select hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, moved_by, moved_at, idempotency_key
       from app_public.appointment_move where appointment_id = :appointment`,
    ],
  },
  move_of_an_appointment: {
    by: [
      'update app_public.appointment_move set appointment_id = :foreign_appointment where appointment_id = :appointment',
    ],
    first: 'immutable_column',
  },
  move_from_a_slot: {
    by: [
      'update app_public.appointment_move set from_slot_id = :foreign_slot where appointment_id = :appointment',
    ],
    first: 'immutable_column',
  },
  move_to_a_slot: {
    by: [
      'update app_public.appointment_move set to_slot_id = :foreign_slot where appointment_id = :appointment',
    ],
    first: 'immutable_column',
  },
  move_by_an_account: {
    by: [
      'update app_public.appointment_move set moved_by = :foreign_admin where appointment_id = :appointment',
    ],
    first: 'immutable_column',
  },
  appointment_move_of_a_hospital: {
    ...homeless(
      'appointment_move',
      'appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, moved_at',
      ':appointment, :patient, :doctor, :slot, :free_slot, now()',
    ),
    first: 'forbidden',
  },

  // absence
  an_absence_is_a_bounded_stretch_of_time: {
    by: set(
      'absence',
      'absence',
      "during = 'empty'",
      "during = '[2099-01-01,)'",
      "during = '(2099-01-01,2099-01-02]'",
    ),
    first: 'immutable_column',
  },
  an_absence_reason_is_at_most_2000_characters: {
    by: set('absence', 'absence', "reason = repeat('x', 2001)"),
  },
  an_absence_is_of_one_doctor: { by: [':duplicate absence'], first: 'absence_pkey' },
  absence_of_a_doctor: {
    by: set('absence', 'absence', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  absence_created_by_an_account: {
    by: set('absence', 'absence', 'created_by = :foreign_admin'),
    first: 'immutable_column',
  },
  absence_cancelled_by_an_account: {
    by: set('absence', 'cancelled_absence', 'cancelled_by = :foreign_admin'),
  },
  an_absence_starts_before_it_ends: {
    by: [absence(":doctor, 'other', '2097-01-02', '2097-01-01', null, null")],
    first: 'invalid_input',
  },
  an_absence_lasts_at_most_two_years: {
    by: [absence(":doctor, 'other', '2094-01-01', '2096-01-03', null, null")],
    first: 'invalid_input',
  },
  hours_of_an_absence_have_both_ends: {
    by: [
      absence(":doctor, 'other', '2097-01-01', '2097-01-01', '09:00', null"),
      absence(":doctor, 'other', '2097-01-01', '2097-01-01', null, '09:00'"),
    ],
    first: 'invalid_input',
  },
  hours_of_an_absence_are_of_one_day: {
    by: [
      absence(":doctor, 'other', '2097-01-01', '2097-01-02', '09:00', '10:00'"),
      absence(":doctor, 'other', '2097-01-01', '2097-01-01', '09:00', '09:00'"),
    ],
    first: 'invalid_input',
  },
  a_cancelled_absence_has_a_time: {
    by: set('absence', 'cancelled_absence', 'cancelled_at = null'),
  },
  only_a_cancelled_absence_has_a_canceller: {
    by: set('absence', 'absence', 'cancelled_by = :admin'),
  },
  absences_of_a_doctor_never_overlap: {
    by: [
      absence(":doctor, 'other', '2099-01-02', '2099-01-03', null, null"),
      absence(":doctor, 'other', '2099-01-02', '2099-01-02', '23:00', '23:30'"),
    ],
    first: 'absence_overlaps',
  },
  absence_of_a_hospital: {
    ...homeless(
      'absence',
      'doctor_id, type, first_day, last_day, during',
      ":doctor, 'other', '2097-01-01', '2097-01-01', '[2097-01-01, 2097-01-02)'",
    ),
    first: 'doctor_not_found',
  },

  // holiday
  a_holiday_has_a_name: {
    by: set('holiday', 'holiday', "name = '  '", "name = repeat('x', 201)"),
  },
  two_holidays_never_fall_on_one_day: {
    by: [
      holiday("'Once', '2099-06-24', false"),
      holiday("'Every year', '2097-06-24', true"),
      holiday("'Every year', '2000-06-24', true"),
    ],
    first: 'holiday_overlaps',
  },
  holiday_of_a_hospital: {
    ...homeless('holiday', 'name, date', "'Once', '2097-01-01'"),
  },

  // what closes a slot
  slot_in_an_absence_of_its_doctor: {
    by: set('slot', 'slot', 'absence_id = :foreign_absence', 'absence_id = :other_absence'),
  },
  slot_on_a_holiday: { by: set('slot', 'slot', 'holiday_id = :foreign_holiday') },
  // waitlist_entry
  a_wished_specialty_is_not_empty: {
    by: set(
      'waitlist_entry',
      'wait',
      "doctor_id = null, specialty = ' '",
      "doctor_id = null, specialty = repeat('x', 101)",
    ),
    first: 'immutable_column',
  },
  a_waitlist_reason_is_at_most_2000_characters: {
    by: set('waitlist_entry', 'wait', "reason = repeat('x', 2001)"),
  },
  a_patient_waits_for_a_doctor_or_a_specialty: {
    by: set('waitlist_entry', 'wait', 'doctor_id = null', "specialty = 'x'"),
    first: 'immutable_column',
  },
  a_wait_begins_before_it_ends: {
    by: set('waitlist_entry', 'wait', 'last_day = first_day - 1'),
  },
  a_wait_lasts_at_most_a_year: {
    by: set('waitlist_entry', 'wait', 'last_day = first_day + 367'),
  },
  wished_hours_begin_before_they_end: {
    by: set('waitlist_entry', 'wait', "earliest_time = '10:00', latest_time = '10:00'"),
  },
  an_ended_wait_has_a_time: { by: set('waitlist_entry', 'wait', 'ended_at = now()') },
  a_patient_waits_once_for_a_doctor_or_a_specialty: {
    by: [wait('first_day', 'last_day'), wait('last_day', 'last_day + 9')],
    first: 'already_waiting',
  },
  waitlist_entry_of_a_patient: {
    by: set('waitlist_entry', 'wait', 'patient_id = :foreign_patient'),
    first: 'immutable_column',
  },
  waitlist_entry_for_a_doctor: {
    by: set('waitlist_entry', 'wait', 'doctor_id = :foreign_doctor'),
    first: 'immutable_column',
  },
  waitlist_entry_for_a_service: {
    by: set('waitlist_entry', 'wait', 'service_id = :foreign_service'),
  },
  waitlist_entry_for_a_location: {
    by: set('waitlist_entry', 'wait', 'location_id = :foreign_location'),
  },
  waitlist_entry_created_by_an_account: {
    by: set('waitlist_entry', 'wait', 'created_by = :foreign_admin'),
    first: 'immutable_column',
  },
  waitlist_entry_of_a_hospital: {
    ...homeless(
      'waitlist_entry',
      'patient_id, doctor_id, first_day, last_day',
      ':patient, :doctor, current_date + 1, current_date + 1',
    ),
    first: 'patient_not_found',
  },

  // waitlist_offer
  a_decided_offer_has_a_time: { by: set('waitlist_offer', 'offer', 'decided_at = now()') },
  a_slot_is_offered_once_to_an_entry: {
    by: [offer('entry_id', ':second_held', "'declined'")],
    first: 'no_longer_waiting',
  },
  an_appointment_is_one_offer: {
    by: [offer(':wait', 'appointment_id', "'declined'")],
    first: 'waitlist_entry_not_found',
  },
  a_patient_answers_one_offer_at_a_time: {
    by: [offer(':wait', ':second_held', "'open'")],
    first: 'waitlist_entry_not_found',
  },
  offer_to_a_waitlist_entry: {
    by: set('waitlist_offer', 'offer', 'entry_id = :foreign_wait'),
    first: 'immutable_column',
  },
  offer_of_a_slot: {
    by: set('waitlist_offer', 'offer', 'slot_id = :foreign_slot'),
    first: 'immutable_column',
  },
  offer_held_as_an_appointment: {
    by: set('waitlist_offer', 'offer', 'appointment_id = :foreign_appointment'),
    first: 'immutable_column',
  },
  waitlist_offer_of_a_hospital: {
    ...homeless(
      'waitlist_offer',
      'entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at',
      ':wait, :fourth_patient, :doctor, :second_held_slot, :second_held, now()',
    ),
    first: 'waitlist_entry_not_found',
  },

  // appointment_reminder
  reminders_are_1_to_5_spans_of_5_minutes_to_30_days: {
    by: [
      "'{}'",
      "'{4 minutes}'",
      "'{31 days}'",
      "'{24 hours,1 day}'",
      "'{1 hour,null}'",
      "'{{1 hour},{2 hours}}'",
      "'{1 hour,2 hours,3 hours,4 hours,5 hours,6 hours}'",
    ].map(
      (offsets) =>
        `update app_public.hospital set reminder_offsets = ${offsets} where id = :hospital`,
    ),
  },
  a_reminder_comes_before_the_visit: {
    by: [
      "update app_public.appointment_reminder set lead_time = '0' where hospital_id = :hospital",
    ],
    first: 'immutable_column',
  },
  reminder_of_an_appointment: {
    by: [
      'update app_public.appointment_reminder set appointment_id = :foreign_appointment where hospital_id = :hospital',
    ],
    first: 'immutable_column',
  },
  reminder_by_a_notification: {
    by: [
      'update app_public.appointment_reminder set notification_id = :foreign_notification where hospital_id = :hospital',
    ],
    first: 'immutable_column',
  },
  reminder_of_a_hospital: homeless(
    'appointment_reminder',
    'appointment_id, starts_at, lead_time, notification_id, created_at',
    ":appointment, now(), '1 hour', :notification, now()",
  ),

  // calendar_feed
  a_feed_is_revoked_after_it_was_made: {
    by: set('calendar_feed', 'feed', "revoked_at = created_at - interval '1 second'"),
  },
  calendar_feed_of_an_account: {
    by: set('calendar_feed', 'feed', 'account_id = :foreign_admin'),
    first: 'immutable_column',
  },
  calendar_feed_of_a_hospital: homeless('calendar_feed', 'account_id', ':patient_account'),

  // webhooks
  a_webhook_event_is_two_snake_case_words: {
    by: [`insert into app_public.webhook_event values ('Booked', 'x')`],
  },
  a_webhook_event_has_a_description: {
    by: [`insert into app_public.webhook_event values ('thing.happened', ' ')`],
  },
  a_webhook_subscription_has_a_name: {
    by: set('webhook_subscription', 'webhook', "name = ' '", "name = repeat('x', 201)"),
  },
  a_webhook_url_is_http_without_credentials: {
    by: set(
      'webhook_subscription',
      'webhook',
      "url = 'ftp://x.test'",
      "url = 'https://user@x.test'",
      "url = 'https://'",
      "url = 'https://x.test/a b'",
    ),
  },
  a_webhook_url_is_at_most_2000_characters: {
    by: set('webhook_subscription', 'webhook', "url = 'https://x.test/' || repeat('x', 2000)"),
  },
  a_webhook_subscription_names_events: {
    by: set('webhook_subscription', 'webhook', "events = '{}'", "events = '{null}'"),
  },
  webhook_failures_are_not_negative: {
    by: set('webhook_subscription', 'webhook', 'consecutive_failures = -1, failing_since = now()'),
  },
  a_switch_off_reason_is_at_most_500_characters: {
    by: set(
      'webhook_subscription',
      'webhook',
      "status = 'switched_off', switched_off_at = now(), switch_off_reason = repeat('x', 501)",
    ),
  },
  webhook_subscription_created_by_an_account: {
    by: set('webhook_subscription', 'webhook', 'created_by = :foreign_admin'),
    first: 'immutable_column',
  },
  webhook_subscription_of_a_hospital: homeless(
    'webhook_subscription',
    'name, url, events',
    `'x', 'https://x.test', '{"appointment.booked"}'`,
  ),
  a_webhook_name_is_unique_in_its_hospital: {
    by: set('webhook_subscription', 'webhook', "name = 'Bare'"),
  },
  a_switched_off_webhook_says_when_and_why: {
    by: set(
      'webhook_subscription',
      'webhook',
      "status = 'switched_off'",
      'switched_off_at = now()',
      "switch_off_reason = 'x'",
    ),
  },
  a_failing_webhook_fails_since_a_time: {
    by: set('webhook_subscription', 'webhook', 'consecutive_failures = 1'),
  },
  a_delivered_event_is_two_snake_case_words: {
    by: set('webhook_delivery', 'webhook_delivery', "event = 'booked'"),
    first: 'immutable_column',
  },
  a_webhook_payload_is_an_object: {
    by: set('webhook_delivery', 'webhook_delivery', "payload = '[]'"),
    first: 'immutable_column',
  },
  webhook_attempts_are_not_negative: {
    by: set('webhook_delivery', 'webhook_delivery', 'attempts = -1'),
  },
  a_webhook_status_code_is_of_http: {
    by: set('webhook_delivery', 'webhook_delivery', 'last_status_code = 0'),
  },
  a_webhook_error_is_at_most_500_characters: {
    by: set('webhook_delivery', 'webhook_delivery', "last_error = repeat('x', 501)"),
  },
  a_webhook_excerpt_is_at_most_500_characters: {
    by: set('webhook_delivery', 'webhook_delivery', "response_excerpt = repeat('x', 501)"),
  },
  a_webhook_duration_is_not_negative: {
    by: set('webhook_delivery', 'webhook_delivery', 'duration_ms = -1'),
  },
  webhook_delivery_of_a_subscription: {
    by: set('webhook_delivery', 'webhook_delivery', 'subscription_id = :unknown'),
    first: 'immutable_column',
  },
  a_subscription_is_told_once_of_an_event: {
    by: [
      `insert into app_public.webhook_delivery (hospital_id, subscription_id, event, event_id)
       select hospital_id, subscription_id, event, event_id from app_public.webhook_delivery where id = :webhook_delivery`,
    ],
  },
  only_a_pending_webhook_has_a_next_attempt: {
    by: set('webhook_delivery', 'webhook_delivery', 'next_attempt_at = null'),
  },
  only_a_webhook_being_sent_is_leased: {
    by: set('webhook_delivery', 'webhook_delivery', 'leased_until = now()', 'lease = id'),
  },
  an_ended_webhook_says_when: {
    by: set('webhook_delivery', 'webhook_delivery', 'ended_at = now()'),
  },

  // audit_seal
  audit_seal_of_a_hospital: homeless(
    'audit_seal',
    'number, kind, batch_number, entry_count, first_entry_id, last_entry_id, entries_hash, previous_hash, hash, sealed_at',
    "7, 'entries', 7, 1, 1, 1, 'x', 'x', 'x', now()",
  ),
  seals_of_a_hospital_are_numbered: { by: [seal("90, 'entries', 90, null, 1, null, 'x'")] },
  redaction_of_a_patient: { by: [seal("91, 'redaction', 90, :foreign_patient, 1, 'x', 'x'")] },
  seals_are_numbered_from_1: { by: [seal("0, 'entries', 0, null, 1, null, 'x'")] },
  a_seal_closes_something: { by: [seal("91, 'entries', 91, null, 0, null, 'x'")] },
  a_redaction_tells_of_whom_and_what_it_replaces: {
    by: [
      seal("91, 'entries', 91, :patient, 1, null, 'x'"),
      seal("91, 'entries', 90, null, 1, null, 'x'"),
      seal("91, 'redaction', 90, null, 1, 'x', 'x'"),
      seal("91, 'redaction', 90, :patient, 1, null, 'x'"),
      seal("91, 'redaction', 91, :patient, 1, 'x', 'x'"),
    ],
  },
  only_the_first_seal_follows_none: { by: [seal("91, 'entries', 91, null, 1, null, null")] },
  // appointment_archive
  only_what_has_ended_is_archived: {
    by: set('appointment_archive', 'archived', "status = 'scheduled'", "status = 'requested'"),
    first: 'archive_is_append_only',
  },
  archived_alerts_are_a_list: {
    by: set('appointment_archive', 'archived', `stage_alerts = '{}'`),
    first: 'archive_is_append_only',
  },
  archived_moves_are_a_list: {
    by: set('appointment_archive', 'archived', "moves = '{}'"),
    first: 'archive_is_append_only',
  },
  an_archived_visit_starts_before_it_ends: {
    by: set('appointment_archive', 'archived', 'ends_at = starts_at'),
    first: 'archive_is_append_only',
  },
  archived_appointment_with_a_doctor: {
    by: set('appointment_archive', 'archived', 'doctor_id = :foreign_doctor'),
    first: 'archive_is_append_only',
  },
  archived_appointment_of_a_patient: {
    by: set('appointment_archive', 'archived', 'patient_id = :foreign_patient'),
    first: 'archive_is_append_only',
  },
  archived_appointment_at_a_location: {
    by: set('appointment_archive', 'archived', 'location_id = :foreign_location'),
    first: 'archive_is_append_only',
  },
  archived_appointment_for_a_service: {
    by: set('appointment_archive', 'archived', 'service_id = :foreign_service'),
    first: 'archive_is_append_only',
  },
  archived_appointment_of_a_series: {
    by: set('appointment_archive', 'archived', 'series_id = :unknown'),
    first: 'archive_is_append_only',
  },
  archived_appointment_created_by_an_account: {
    by: set('appointment_archive', 'archived', 'created_by = :foreign_admin'),
    first: 'archive_is_append_only',
  },
  archived_appointment_cancelled_by_an_account: {
    by: set('appointment_archive', 'archived', 'cancelled_by = :foreign_admin'),
    first: 'archive_is_append_only',
  },
};

/** What comes close to breaking an exclusion constraint and is right. */
export const nearMisses: Readonly<Record<string, readonly string[]>> = {
  schedules_of_a_doctor_never_overlap: [
    schedule(":doctor, :location, 1, '17:00', '20:00'"),
    schedule(":doctor, :annex, 1, '07:00', '09:00'"),
    `update app_public.schedule set is_active = false where id = :schedule;
     ${schedule(":doctor, :annex, 1, '08:00', '18:00'")}`,
    `update app_public.schedule set effective_until = '2099-12-31' where id = :schedule;
     insert into app_public.schedule (hospital_id, doctor_id, location_id, weekday, start_time, end_time, effective_from)
     values (:hospital, :doctor, :annex, 1, '08:00', '18:00', '2100-01-01')`,
  ],
  slots_of_a_doctor_never_overlap: [
    slot("tstzrange(ends_at, ends_at + interval '1 hour')"),
    `update app_public.slot set withdrawn_at = now() where id = :last_slot; ${slot('during')}`,
    `insert into app_public.slot (hospital_id, doctor_id, location_id, during, withdrawn_at)
     select hospital_id, doctor_id, location_id, during, now() from app_public.slot where id = :last_slot`,
  ],
  absences_of_a_doctor_never_overlap: [
    absence(":doctor, 'other', '2099-01-03', '2099-01-04', null, null"),
    absence(":doctor, 'other', '2098-12-31', '2098-12-31', null, null"),
    absence(":other_doctor, 'other', '2099-01-01', '2099-01-02', null, null"),
    `update app_public.absence set status = 'cancelled' where id = :absence;
     ${absence(":doctor, 'other', '2099-01-01', '2099-01-02', null, null")}`,
  ],
  two_holidays_never_fall_on_one_day: [
    holiday("'Once', '2098-06-24', false"),
    holiday("'Every year', '2099-06-25', true"),
    `update app_public.holiday set is_active = false where id = :holiday;
     ${holiday("'Every year', '2099-06-24', true")}`,
  ],
  a_patient_waits_once_for_a_doctor_or_a_specialty: [
    wait('last_day + 1', 'last_day + 9'),
    `update app_public.waitlist_entry set status = 'cancelled' where id = :wait; ${wait('first_day', 'last_day')}`,
    `insert into app_public.waitlist_entry (hospital_id, patient_id, doctor_id, first_day, last_day)
     select hospital_id, patient_id, :other_doctor, first_day, last_day from app_public.waitlist_entry where id = :wait`,
  ],
  a_patient_answers_one_offer_at_a_time: [
    `insert into app_public.waitlist_offer (
       hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at)
     select hospital_id, :wait, patient_id, doctor_id, slot_id, id, now()
     from app_public.appointment where id = :second_held`,
    `update app_public.appointment set status = 'cancelled' where id = :held;
     insert into app_public.waitlist_offer (
       hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at)
     select hospital_id, :wait, patient_id, doctor_id, slot_id, id, now()
     from app_public.appointment where id = :second_held`,
  ],
  a_patient_asks_a_doctor_once_for_a_time: [
    `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
     select hospital_id, :other_doctor, patient_id, during, status from app_public.appointment where id = :request`,
    `update app_public.appointment set status = 'cancelled' where id = :request;
     insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
     select hospital_id, doctor_id, patient_id, during, 'requested' from app_public.appointment where id = :request`,
  ],
  a_patient_is_in_one_place_at_a_time: [
    visit('adjacent_slot', 'patient'),
    visit('same_time_slot', 'second_patient'),
    `update app_public.appointment set status = 'cancelled' where id = :appointment;
     ${visit('same_time_slot', 'patient')}`,
  ],
};
