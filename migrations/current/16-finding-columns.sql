-- The doors to checks and findings: admins, monitors outside, people in psql.
set local role app_owner;

alter table app_public.finding add column domain text;
comment on column app_public.check_result.check_name is 'The check.';
comment on column app_public.finding.domain is 'Domain of its check; null when the check is no more.';

create type app_public.repair_outcome as enum ('repaired', 'needs_a_person', 'failed');
comment on type app_public.repair_outcome is
  'What became of a repair: the check is silent again, it is not safe without a person and waits for a review, or it did not work now.';

create type app_public.finding_repair as (
  finding_id uuid,
  check_name text,
  entity_type text,
  entity_id uuid,
  outcome app_public.repair_outcome,
  message text
);
comment on type app_public.finding_repair is 'What a repair did about a finding.';
comment on column app_public.finding_repair.finding_id is 'The finding.';
comment on column app_public.finding_repair.check_name is 'Check that found it.';
comment on column app_public.finding_repair.entity_type is 'What it is about: a table''s name.';
comment on column app_public.finding_repair.entity_id is 'Identifier of the row that it is about.';
comment on column app_public.finding_repair.outcome is 'What became of it.';
comment on column app_public.finding_repair.message is 'What was done, or why not, in a sentence.';

create type app_public.repair_report as (
  repaired_count integer,
  remaining_count integer,
  for_people_count integer,
  repairs app_public.finding_repair[]
);
comment on type app_public.repair_report is 'What a round of repairs did.';
comment on column app_public.repair_report.repaired_count is 'How many findings were repaired.';
comment on column app_public.repair_report.remaining_count is
  'How many more could be repaired and were not reached in this call: ask again.';
comment on column app_public.repair_report.for_people_count is
  'How many open findings of these checks no repair is safe for: people review them, or operators act.';
comment on column app_public.repair_report.repairs is 'What became of each finding that was tried.';

reset role;
