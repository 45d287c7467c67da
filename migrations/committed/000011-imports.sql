--! Previous: sha1:41801fdadd3ea49057a00945f59e74481c0d9229
--! Hash: sha1:9847a2658ad76146883fe05a449ba7fbf52e34ef
--! Message: imports

--! split: 1-current.sql
-- What an import brings, what it is told, and what it leaves behind. Before all others, because the files
-- of triggers that they include name these tables.

set local role app_owner;

create type app_public.import_kind as enum ('doctors', 'patients', 'schedules', 'appointments');
comment on type app_public.import_kind is 'What an import brings.';

create type app_public.import_fault as (
  row_number integer,
  column_name text,
  scenario text,
  message text,
  value text
);
comment on type app_public.import_fault is 'Something in an import that stands in its way.';
comment on column app_public.import_fault.row_number is
  'The row: of a file as a spreadsheet numbers it, the header being row 1; of a mutation its place in the list, from 1. Null: the import as a whole.';
comment on column app_public.import_fault.column_name is 'The column; null: the row as a whole.';
comment on column app_public.import_fault.scenario is 'What kind of fault it is; a scenario of errorCatalog.';
comment on column app_public.import_fault.message is 'What is wrong, for people.';
comment on column app_public.import_fault.value is 'What the cell says, at most its first 100 characters; null when it is empty.';

create type app_public.import_report as (
  run_id uuid,
  kind app_public.import_kind,
  is_accepted boolean,
  is_dry_run boolean,
  row_count integer,
  fault_count integer,
  faults app_public.import_fault[]
);
comment on type app_public.import_report is 'What became of an import, or would become of it.';
comment on column app_public.import_report.run_id is 'The run that stored the rows; null when nothing was stored.';
comment on column app_public.import_report.kind is 'What it brings.';
comment on column app_public.import_report.is_accepted is 'Whether every row is right; only then anything is stored.';
comment on column app_public.import_report.is_dry_run is 'Whether it was only tried: nothing was stored either way.';
comment on column app_public.import_report.row_count is 'How many rows were looked at.';
comment on column app_public.import_report.fault_count is 'How many faults there are, also those that are not listed.';
comment on column app_public.import_report.faults is 'The faults in the order of the rows; the first 1000.';

create type app_public.doctor_import_row as (
  staff_number text,
  display_name text,
  specialty text,
  slot_minutes text,
  max_patients_per_day text
);
comment on type app_public.doctor_import_row is 'A doctor to import: texts, as the cells of a file would have them.';
comment on column app_public.doctor_import_row.staff_number is 'The hospital''s own number of the doctor; needed, unique in the hospital.';
comment on column app_public.doctor_import_row.display_name is 'Name for people; needed.';
comment on column app_public.doctor_import_row.specialty is 'Field of medicine, such as cardiology.';
comment on column app_public.doctor_import_row.slot_minutes is 'Length of the slots, 5 to 480 minutes; 30 unless given.';
comment on column app_public.doctor_import_row.max_patients_per_day is 'Most appointments a local day, 1 to 500; 30 unless given.';

create type app_public.patient_import_row as (
  medical_record_number text,
  name text,
  phone text,
  email text,
  date_of_birth text
);
comment on type app_public.patient_import_row is 'A patient to import: texts, as the cells of a file would have them.';
comment on column app_public.patient_import_row.medical_record_number is 'The hospital''s own number of the patient; needed, unique in the hospital.';
comment on column app_public.patient_import_row.name is 'Full name; needed.';
comment on column app_public.patient_import_row.phone is 'Telephone number.';
comment on column app_public.patient_import_row.email is 'E-mail address.';
comment on column app_public.patient_import_row.date_of_birth is 'Date of birth, YYYY-MM-DD.';

create type app_public.schedule_import_row as (
  staff_number text,
  location text,
  weekday text,
  start_time text,
  end_time text,
  break_start text,
  break_end text,
  slot_capacity text,
  effective_from text,
  effective_until text
);
comment on type app_public.schedule_import_row is 'Weekly hours to add to a doctor''s schedule: texts, as the cells of a file would have them.';
comment on column app_public.schedule_import_row.staff_number is 'Number of the doctor; needed.';
comment on column app_public.schedule_import_row.location is 'Name of the location; needed.';
comment on column app_public.schedule_import_row.weekday is 'Day of the week: 1 Monday to 7 Sunday, or its English name; needed.';
comment on column app_public.schedule_import_row.start_time is 'Local time at which work starts, HH:MM; needed.';
comment on column app_public.schedule_import_row.end_time is 'Local time at which work ends, HH:MM, up to 24:00; needed.';
comment on column app_public.schedule_import_row.break_start is 'Local time at which the break starts.';
comment on column app_public.schedule_import_row.break_end is 'Local time at which the break ends.';
comment on column app_public.schedule_import_row.slot_capacity is 'How many patients each slot takes, 1 to 100; 1 unless given.';
comment on column app_public.schedule_import_row.effective_from is 'First local day on which the hours hold, YYYY-MM-DD; today unless given.';
comment on column app_public.schedule_import_row.effective_until is 'Last local day on which they hold, YYYY-MM-DD; for good unless given.';

create type app_public.appointment_import_row as (
  medical_record_number text,
  staff_number text,
  starts_at text,
  service text,
  reason text,
  external_id text
);
comment on type app_public.appointment_import_row is 'An appointment to import: texts, as the cells of a file would have them.';
comment on column app_public.appointment_import_row.medical_record_number is 'Number of the patient; needed.';
comment on column app_public.appointment_import_row.staff_number is 'Number of the doctor; needed.';
comment on column app_public.appointment_import_row.starts_at is
  'Local start, YYYY-MM-DD HH:MM, at which a slot of the doctor begins; with an offset such as +02:00 where the clocks pass it twice. Needed.';
comment on column app_public.appointment_import_row.service is 'Name of the kind of visit; a visit as long as the slot unless given.';
comment on column app_public.appointment_import_row.reason is 'Why the patient comes.';
comment on column app_public.appointment_import_row.external_id is
  'What the appointment is called where it comes from; imported once, whatever becomes of the appointment.';

create table app_public.import_run (
  hospital_id uuid not null constraint import_run_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  kind app_public.import_kind not null,
  file_name text constraint a_file_name_is_1_to_255_characters check (length(btrim(file_name)) between 1 and 255),
  row_count integer not null constraint an_import_has_rows check (row_count > 0),
  fingerprint text not null,
  created_by uuid default app_private.claim_account_id(),
  imported_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint import_run_by_an_account foreign key (hospital_id, created_by) references app_public.account (hospital_id, id),
  constraint the_same_rows_are_imported_once unique (hospital_id, kind, fingerprint)
);
comment on table app_public.import_run is
  'An import that was carried out, with all of its rows. One that was refused or only tried leaves nothing, not even this.';
comment on column app_public.import_run.kind is 'What it brought.';
comment on column app_public.import_run.file_name is 'Name of the file; null when the rows came by a mutation.';
comment on column app_public.import_run.row_count is 'How many rows it had; as many imported rows belong to it.';
comment on column app_public.import_run.fingerprint is 'What was imported, hashed: the same rows are not imported twice.';
comment on column app_public.import_run.created_by is 'Account that imported; null when an operator did.';
comment on column app_public.import_run.imported_at is 'When.';

create table app_public.imported_row (
  hospital_id uuid not null,
  run_id uuid not null,
  row_number integer not null constraint rows_of_an_import_are_numbered_from_1 check (row_number > 0),
  record_id uuid not null,
  external_id text constraint an_external_id_is_1_to_100_characters check (length(btrim(external_id)) between 1 and 100),
  primary key (hospital_id, run_id, row_number),
  constraint imported_row_of_a_run foreign key (hospital_id, run_id) references app_public.import_run (hospital_id, id),
  constraint an_external_id_is_imported_once unique (hospital_id, external_id)
);
create index imported_row_of_a_record on app_public.imported_row (hospital_id, record_id);
comment on table app_public.imported_row is 'Which row of an import became which record. Kept apart, so that what was not imported costs nothing.';
comment on column app_public.imported_row.row_number is 'Row of the file, the header being row 1; of a mutation its place in the list, from 1.';
comment on column app_public.imported_row.record_id is 'The doctor, patient, schedule or appointment that it became.';
comment on column app_public.imported_row.external_id is 'What an appointment is called where it comes from.';

-- Nothing of it outlives the transaction that imports, so it need not outlive a crash either.
create unlogged table app_private.import_row (
  hospital_id uuid not null constraint import_row_of_a_hospital references app_public.hospital (id),
  run_id uuid not null,
  row_number integer not null,
  fields jsonb,
  found jsonb,
  faults app_public.import_fault[] not null default '{}',
  primary key (hospital_id, run_id, row_number)
);
comment on table app_private.import_row is
  'Rows of an import while it runs: written, judged, stored and deleted in one transaction, so nobody else ever sees one.';
comment on column app_private.import_row.fields is 'The cells by column, trimmed, without the empty ones; null when the row has another number of cells than the header.';
comment on column app_private.import_row.found is 'What the cells of an appointment stand for: patient, doctor, service, slot, start.';
comment on column app_private.import_row.faults is 'What stands in the way of the row.';

reset role;
