/** What can be imported. */
export const importKinds = ['doctors', 'patients', 'schedules', 'appointments'] as const;

/** What an import brings. */
export type ImportKind = (typeof importKinds)[number];

/** The columns of a file of each kind; the ones that have to be there come first. */
export const columnsOf: Readonly<
  Record<ImportKind, { needed: readonly string[]; optional: readonly string[] }>
> = {
  doctors: {
    needed: ['staff_number', 'display_name'],
    optional: ['specialty', 'slot_minutes', 'max_patients_per_day'],
  },
  patients: {
    needed: ['medical_record_number', 'name'],
    optional: ['phone', 'email', 'date_of_birth'],
  },
  schedules: {
    needed: ['staff_number', 'location', 'weekday', 'start_time', 'end_time'],
    optional: ['break_start', 'break_end', 'slot_capacity', 'effective_from', 'effective_until'],
  },
  appointments: {
    needed: ['medical_record_number', 'staff_number', 'starts_at'],
    optional: ['service', 'reason', 'external_id'],
  },
};
