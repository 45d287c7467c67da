/** An attack on one constraint, by hand in psql. */
export type Attack = {
  /** Statements that the constraint refuses; `:name` is a row of the world. */
  by: readonly string[];
  /** Who refuses first while everything is on, where it is not the constraint itself. */
  first?: string;
};

const set = (table: string, id: string, ...changes: readonly string[]): string[] =>
  changes.map((change) => `update app_public.${table} set ${change} where id = :${id}`);

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

const visit = (slotName: string, patientName: string): string =>
  `insert into app_public.appointment (
     hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_at, updated_at)
   select hospital_id, id, doctor_id, location_id, :${patientName}, during, 'scheduled', 'import', now(), now()
   from app_public.slot where id = :${slotName}`;

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
  a_no_show_count_is_not_negative: { by: set('patient', 'patient', 'no_show_count = -1') },
  a_blocked_patient_has_a_time_and_a_reason: {
    by: set(
      'patient',
      'patient',
      "status = 'blocked'",
      "status = 'blocked', blocked_at = now()",
      "blocked_reason = 'x', blocked_at = now()",
    ),
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
  },
  a_patient_account_names_its_patient: {
    by: set('account', 'patient_account', 'patient_id = null', "role = 'nurse'"),
  },
  a_doctor_has_one_account: { by: set('account', 'other_doctor_account', 'doctor_id = :doctor') },
  a_patient_has_one_account: {
    by: set('account', 'other_patient_account', 'patient_id = :patient'),
  },
  account_is_this_doctor: { by: set('account', 'doctor_account', 'doctor_id = :foreign_doctor') },
  account_is_this_patient: {
    by: set('account', 'patient_account', 'patient_id = :foreign_patient'),
  },
  account_of_a_hospital: homeless(
    'account',
    'email, display_name, role',
    "'x@y.test', 'x', 'admin'",
  ),

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
  slot_from_a_schedule: {
    by: set(
      'slot',
      'free_slot',
      'schedule_id = :foreign_schedule',
      'doctor_id = :other_doctor',
      'location_id = :annex',
    ),
    first: 'immutable_column',
  },
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
  channels_are_in_app_email_and_sms: {
    by: [
      "update app_public.notification_template set channels = '{}'",
      "update app_public.notification_template set channels = '{in_app,fax}'",
    ],
  },
  a_template_has_a_title: { by: ["update app_public.notification_template set title = ' '"] },
  a_template_has_a_body: { by: ["update app_public.notification_template set body = ''"] },
  names_of_facts_stand_in_braces: {
    by: [
      "body = 'On {starts_at'",
      "body = 'On starts_at}'",
      "body = '{Doctor}'",
      "title = '{}'",
    ].map((change) => `update app_public.notification_template set ${change}`),
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
