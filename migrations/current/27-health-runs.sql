-- When checks run: at night, by the hour, and for what has just changed. How long verifications take, the
-- verification that people ask for, and how long what was found is kept.
set local role app_owner;

create table app_private.verification_hour (
  hospital_id uuid not null,
  hour timestamptz not null,
  verified integer not null,
  total_ms double precision not null,
  buckets integer[] not null constraint durations_stand_in_18_buckets check (cardinality(buckets) = 18),
  primary key (hospital_id, hour)
);
comment on table app_private.verification_hour is
  'Verifications of what changed in a hospital, counted by the hour; each with the time that its whole batch took.';
comment on column app_private.verification_hour.verified is 'How many appointments and slots were verified.';
comment on column app_private.verification_hour.total_ms is 'How long they took together, in milliseconds.';
comment on column app_private.verification_hour.buckets is
  'How many took up to 2^(number - 3) ms and longer than the bucket before; the last one has no bound.';

create index review_item_by_finding on app_public.review_item (hospital_id, finding_id);
create index review_item_by_decision on app_public.review_item (hospital_id, decided_at) where decided_at is not null;

create type app_public.verification as (
  is_valid boolean,
  reason text,
  details jsonb,
  duration_ms double precision
);
comment on type app_public.verification is 'What verifying an appointment came to.';
comment on column app_public.verification.is_valid is 'Whether nothing is wrong with it.';
comment on column app_public.verification.reason is 'Name of the check that speaks of the worst fault; null where there is none.';
comment on column app_public.verification.details is
  'Every fault, the worst first: check, severity and title; staff read what it is about, too.';
comment on column app_public.verification.duration_ms is 'How long it took, in milliseconds.';

--! include policies/verification_hour.sql
--! include functions/health/verify_changes.sql
--! include functions/health/find_faults.sql
--! include functions/health/verify_appointment.sql
--! include functions/health/hospitals_with_findings.sql
--! include functions/health/recheck_findings.sql
--! include functions/health/findings_to_repair.sql
--! include functions/health/check_guards.sql
--! include functions/health/remove_old_health.sql
--! include catalog/job.sql
--! include checks/all_findings.sql

select app_private.declare_guards();

reset role;
