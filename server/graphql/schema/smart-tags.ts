import 'postgraphile';
import { jsonPgSmartTags } from 'postgraphile/utils';

/** Columns that a client may filter and sort by: those that an index serves within one hospital. */
const SEARCHABLE: Readonly<Record<string, readonly string[]>> = {
  absence: ['id', 'doctor_id', 'first_day', 'type', 'status'],
  added_seat: ['id', 'slot_id'],
  appointment: ['id', 'slot_id', 'doctor_id', 'patient_id', 'series_id', 'starts_at', 'status'],
  appointment_archive: ['id', 'doctor_id', 'patient_id', 'starts_at', 'status'],
  appointment_move: ['appointment_id', 'moved_at'],
  appointment_reminder: ['appointment_id', 'starts_at'],
  appointment_series: ['id', 'patient_id', 'created_at'],
  audit_entry: ['id', 'record_id', 'table_name'],
  audit_seal: ['id', 'number', 'sealed_at'],
  account: ['id', 'email', 'role'],
  check_result: ['run_id', 'check_name'],
  check_run: ['id', 'trigger', 'started_at'],
  consultation: ['id', 'appointment_id', 'patient_id', 'started_at'],
  consultation_addendum: ['id', 'consultation_id'],
  consultation_participant: ['id', 'consultation_id'],
  calendar_feed: ['id', 'account_id'],
  doctor: ['id', 'specialty', 'display_name', 'is_active', 'is_available'],
  doctor_day: ['doctor_id', 'day'],
  emergency_access: ['id', 'account_id', 'patient_id'],
  finding: [
    'id',
    'check_name',
    'domain',
    'severity',
    'entity_type',
    'entity_id',
    'first_seen_at',
    'last_seen_at',
    'resolved_at',
    'ignored_at',
    'ignored_until',
  ],
  health_check: ['name', 'domain', 'severity', 'remedy'],
  import_run: ['id', 'kind'],
  imported_row: ['record_id', 'external_id', 'run_id'],
  health_alert: ['id', 'status', 'check_name', 'finding_id', 'raised_at', 'severity'],
  health_report: ['day'],
  holiday: ['id', 'date', 'is_recurring', 'is_active'],
  invitation: ['id', 'email', 'status'],
  job: ['name'],
  job_run: ['id', 'job', 'created_at'],
  location: ['id', 'name', 'is_active'],
  log_entry: ['id', 'entity_id', 'kind', 'level', 'logged_at', 'name', 'outcome', 'request_id'],
  notification: ['id', 'read_at'],
  notification_delivery: ['id', 'notification_id', 'status'],
  notification_preference: ['account_id', 'topic'],
  patient: ['id', 'medical_record_number', 'name', 'email', 'status'],
  record_access: ['id', 'patient_id', 'account_id'],
  review_item: ['id', 'status', 'priority', 'reason', 'entity_id', 'finding_id', 'created_at'],
  schedule: ['id', 'doctor_id', 'location_id', 'weekday'],
  security_event: ['id', 'account_id', 'kind', 'occurred_at'],
  series_occurrence: ['series_id', 'number', 'appointment_id'],
  service: ['id', 'name', 'is_active'],
  slot: ['id', 'doctor_id', 'starts_at', 'status', 'location_id'],
  no_show_log: ['id', 'appointment_id', 'doctor_id', 'patient_id', 'slot_starts_at'],
  patient_block: ['id', 'patient_id', 'blocked_at'],
  vitals_entry: ['id', 'appointment_id', 'patient_id', 'recorded_at'],
  stage_alert: ['id', 'appointment_id', 'due_at', 'status'],
  webhook_delivery: ['id', 'subscription_id', 'status', 'event_id'],
  webhook_event: ['name'],
  webhook_subscription: ['id', 'name', 'status'],
  waitlist_entry: ['id', 'doctor_id', 'patient_id', 'specialty', 'status'],
  waitlist_offer: ['id', 'appointment_id', 'entry_id', 'patient_id', 'slot_id'],
};

/** Columns that clients have no use for, though their role may read them. */
const HIDDEN: Readonly<Record<string, readonly string[]>> = {
  import_run: ['fingerprint'],
  absence: ['during'],
  appointment: ['during', 'idempotency_key', 'request_fingerprint'],
  appointment_move: ['idempotency_key', 'request_fingerprint'],
  appointment_reminder: ['notification_id'],
  notification: ['patient_id', 'doctor_id', 'account_id'],
  notification_delivery: ['patient_id', 'doctor_id', 'account_id', 'lease'],
  appointment_series: ['idempotency_key', 'request_fingerprint'],
  slot: ['during'],
  webhook_delivery: ['lease'],
};

/** What the database's own names do not say: GraphQL's view of it. */
export const SmartTagsPlugin: GraphileConfig.Plugin = jsonPgSmartTags({
  version: 1,
  config: {
    class: classTags(),
    constraint: {
      'app_public.absence.absence_created_by_an_account': {
        tags: {
          fieldName: 'creator',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.absence.absence_cancelled_by_an_account': {
        tags: {
          fieldName: 'canceller',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.import_run.import_run_by_an_account': {
        tags: {
          fieldName: 'creator',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.job_run.run_requested_by_an_account': {
        tags: {
          fieldName: 'requester',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.imported_row.imported_row_of_a_run': {
        tags: { fieldName: 'run', foreignFieldName: 'rows' },
      },
      'app_public.slot.slot_in_an_absence_of_its_doctor': { tags: { fieldName: 'absence' } },
      'app_public.appointment.appointment_created_by_an_account': {
        tags: {
          fieldName: 'creator',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.appointment.appointment_cancelled_by_an_account': {
        tags: {
          fieldName: 'canceller',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.appointment.appointment_came_from_a_slot': {
        tags: {
          fieldName: 'previousSlot',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.added_seat.seat_added_by_an_account': {
        tags: {
          fieldName: 'adder',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.appointment.appointment_of_a_series': {
        tags: { fieldName: 'series', foreignFieldName: 'appointments' },
      },
      'app_public.appointment_series.appointment_series_of_a_hospital': {
        tags: { foreignFieldName: 'series' },
      },
      'app_public.appointment_series.series_of_a_patient': {
        tags: { foreignFieldName: 'series' },
      },
      'app_public.appointment_series.series_with_a_doctor': {
        tags: { foreignFieldName: 'series' },
      },
      'app_public.appointment_series.series_for_a_service': {
        tags: { foreignFieldName: 'series' },
      },
      'app_public.appointment_series.series_created_by_an_account': {
        tags: {
          fieldName: 'creator',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.series_occurrence.occurrence_of_a_series': {
        tags: { fieldName: 'series', foreignFieldName: 'occurrences' },
      },
      'app_public.appointment_archive.archived_appointment_created_by_an_account': {
        tags: {
          fieldName: 'creator',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.appointment_archive.archived_appointment_cancelled_by_an_account': {
        tags: {
          fieldName: 'canceller',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.appointment_archive.archived_appointment_of_a_series': {
        tags: { fieldName: 'series', foreignFieldName: 'archivedAppointments' },
      },
      'app_public.appointment_move.move_by_an_account': {
        tags: {
          fieldName: 'mover',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.appointment_move.move_from_a_slot': {
        tags: {
          fieldName: 'fromSlot',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.appointment_move.move_to_a_slot': {
        tags: {
          fieldName: 'toSlot',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.invitation.invitation_by_an_account': {
        tags: {
          fieldName: 'inviter',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.invitation.invitation_became_an_account': {
        tags: {
          fieldName: 'account',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.invitation.invitation_of_a_doctor': {
        tags: {
          fieldName: 'doctor',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.security_event.security_event_by_an_account': {
        tags: {
          fieldName: 'actor',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.security_event.security_event_of_an_account': {
        tags: {
          fieldName: 'account',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.emergency_access.emergency_access_of_an_account': {
        tags: {
          fieldName: 'account',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.emergency_access.emergency_access_revoked_by_an_account': {
        tags: {
          fieldName: 'revoker',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.emergency_access.emergency_access_reviewed_by_an_account': {
        tags: {
          fieldName: 'reviewer',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      // A notification is seen in its reader's inbox and nowhere else.
      ...Object.fromEntries(
        ['to_a_patient', 'to_a_doctor', 'to_an_account'].map((reader) => [
          `app_public.notification.notification_${reader}`,
          {
            tags: {
              behavior:
                '-singularRelation:resource:single -manyRelation:resource:connection -manyRelation:resource:list',
            },
          },
        ]),
      ),
      'app_public.appointment_reminder.reminder_of_an_appointment': {
        tags: { foreignFieldName: 'reminders' },
      },
      // The message is its reader's alone.
      'app_public.appointment_reminder.reminder_by_a_notification': {
        tags: {
          behavior:
            '-singularRelation:resource:single -manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.notification.notification_of_an_appointment': {
        tags: { behavior: '-manyRelation:resource:connection -manyRelation:resource:list' },
      },
      ...actorTags('audit_seal', 'redaction_of_a_patient', 'patient'),
      'app_public.check_result.result_of_a_check_run': {
        tags: { fieldName: 'run', foreignFieldName: 'results' },
      },
      ...actorTags('check_run', 'check_run_requested_by_an_account', 'requester'),
      ...actorTags('finding', 'finding_ignored_by_an_account', 'ignorer'),
      ...actorTags('no_show_log', 'no_show_marked_by_an_account', 'marker'),
      ...actorTags('no_show_log', 'no_show_undone_by_an_account', 'undoer'),
      ...actorTags('patient_block', 'block_by_an_account', 'blocker'),
      ...actorTags('patient_block', 'unblocked_by_an_account', 'unblocker'),
      ...actorTags('vitals_entry', 'vitals_recorded_by_an_account', 'recorder'),
      ...actorTags('vitals_entry', 'vitals_correct_earlier_ones', 'corrected'),
      ...actorTags('review_item', 'review_claimed_by_an_account', 'claimer'),
      ...actorTags('review_item', 'review_decided_by_an_account', 'decider'),
      ...actorTags('health_alert', 'health_alert_acknowledged_by_an_account', 'acknowledger'),
      ...actorTags('health_alert', 'health_alert_resolved_by_an_account', 'resolver'),
      'app_public.review_item.review_of_a_finding': {
        tags: { fieldName: 'finding', foreignFieldName: 'reviews' },
      },
      'app_public.health_alert.health_alert_of_a_finding': {
        tags: { fieldName: 'finding', foreignFieldName: 'alerts' },
      },
      'app_public.stage_alert.alert_acknowledged_by_an_account': {
        tags: {
          fieldName: 'acknowledger',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.stage_alert.alert_resolved_by_an_account': {
        tags: {
          fieldName: 'resolver',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.consultation.consultation_started_by_an_account': {
        tags: {
          behavior:
            '-singularRelation:resource:single -manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.consultation_participant.participant_of_a_consultation': {
        tags: { foreignFieldName: 'participants' },
      },
      'app_public.consultation_participant.participant_added_by_an_account': {
        tags: {
          fieldName: 'adder',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.consultation_addendum.addendum_of_a_consultation': {
        tags: { foreignFieldName: 'addenda' },
      },
      'app_public.consultation_addendum.addendum_added_by_an_account': {
        tags: {
          fieldName: 'adder',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.record_access.record_access_by_an_account': {
        tags: {
          fieldName: 'reader',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
      'app_public.notification_delivery.delivery_of_a_notification': {
        tags: { foreignFieldName: 'deliveries' },
      },
      'app_public.waitlist_entry.waitlist_entry_created_by_an_account': {
        tags: {
          fieldName: 'creator',
          behavior: '-manyRelation:resource:connection -manyRelation:resource:list',
        },
      },
    },
    procedure: {
      'app_public.mark_all_notifications_read': { tags: { resultFieldName: 'readCount' } },
      'app_public.cancel_series': { tags: { resultFieldName: 'appointments' } },
      'app_public.revoke_other_sessions': { tags: { resultFieldName: 'revokedCount' } },
      'app_public.revoke_session': { tags: { resultFieldName: 'isRevoked' } },
      'app_public.health_report_of_day': { tags: { fieldName: 'healthReport' } },
      'app_public.generate_slots': { tags: { resultFieldName: 'generatedCount' } },
      'app_public.export_patient': { tags: { resultFieldName: 'exported' } },
    },
  },
});

/** Who did it, by a name of its own; the account has no list of all that it did. */
function actorTags(table: string, constraint: string, fieldName: string) {
  const lists = '-manyRelation:resource:connection -manyRelation:resource:list';
  return {
    [`app_public.${table}.${constraint}`]: {
      tags: { fieldName, behavior: lists, foreignBehavior: '-singularRelation:resource:single' },
    },
  };
}

function classTags() {
  const names = new Set([...Object.keys(SEARCHABLE), ...Object.keys(HIDDEN)]);
  return {
    ...Object.fromEntries(
      [...names].map((name) => [`app_public.${name}`, { attribute: attributeTags(name) }]),
    ),
    'app_public.appointment_archive': {
      tags: { name: 'archived_appointment' },
      attribute: attributeTags('appointment_archive'),
    },
    // The plural of series is series, by which one of them is asked for.
    'app_public.appointment_series': {
      tags: { rootField: 'allAppointmentSeries' },
      attribute: attributeTags('appointment_series'),
    },
    'app_public.error_catalog': { tags: { rootField: 'errorCatalog' } },
  };
}

function attributeTags(table: string) {
  const searchable = (SEARCHABLE[table] ?? []).map(
    (column) => [column, { tags: { behavior: '+filterBy +orderBy' } }] as const,
  );
  const hidden = (HIDDEN[table] ?? []).map(
    (column) => [column, { tags: { behavior: '-select' } }] as const,
  );
  return Object.fromEntries([...searchable, ...hidden]);
}
