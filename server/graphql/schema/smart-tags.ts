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
  account: ['id', 'email', 'role'],
  calendar_feed: ['id', 'account_id'],
  doctor: ['id', 'specialty', 'display_name', 'is_active', 'is_available'],
  doctor_day: ['doctor_id', 'day'],
  import_run: ['id', 'kind'],
  imported_row: ['record_id', 'external_id', 'run_id'],
  holiday: ['id', 'date', 'is_recurring', 'is_active'],
  location: ['id', 'name', 'is_active'],
  notification: ['id', 'read_at'],
  patient: ['id', 'medical_record_number', 'name', 'email', 'status'],
  schedule: ['id', 'doctor_id', 'location_id', 'weekday'],
  series_occurrence: ['series_id', 'number', 'appointment_id'],
  service: ['id', 'name', 'is_active'],
  slot: ['id', 'doctor_id', 'starts_at', 'status', 'location_id'],
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
  appointment_series: ['idempotency_key', 'request_fingerprint'],
  slot: ['during'],
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
      'app_public.generate_slots': { tags: { resultFieldName: 'generatedCount' } },
    },
  },
});

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
