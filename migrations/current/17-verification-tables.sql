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

reset role;
