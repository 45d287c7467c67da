-- Foundation: roles, schemas, the clock, identifiers, claims, and the one form of a refusal.

--!include roles.sql

create schema app_public authorization app_owner;
create schema app_private authorization app_owner;
create schema app_extension authorization app_owner;
create schema checks authorization app_owner;
create schema graphile_worker authorization app_worker;

comment on schema app_public is 'What clients see: tables and functions of the appointment service.';
comment on schema app_private is 'Secrets and machinery; never shown to clients.';
comment on schema app_extension is 'Objects of Postgres extensions.';
comment on schema checks is 'Health-check views: each must be empty.';

-- Equality on uuid inside GiST, for the exclusion constraints.
create extension btree_gist with schema app_extension;

revoke all on schema public from public;

set local role app_owner;

alter default privileges for role app_owner revoke execute on functions from public;

grant usage on schema app_public, app_private
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant usage on schema checks to app_worker, app_monitor;

create table app_private.clock_shift (
  is_single boolean primary key default true constraint there_is_one_clock check (is_single),
  shift interval not null
);
comment on table app_private.clock_shift is
  'At most one row: how far the clock of the system is moved, to rehearse a day. Empty in normal operation.';

create table app_public.error_catalog (
  scenario text primary key
    constraint a_scenario_is_a_snake_case_word check (scenario ~ '^[a-z][a-z_]*$'),
  code text not null
    constraint a_code_is_one_of_ours check (code in ('SK400', 'SK401', 'SK403', 'SK404', 'SK409', 'SK422', 'SK429', 'SK500', 'SK503')),
  is_recoverable boolean not null,
  message text not null,
  hint text not null
);
comment on table app_public.error_catalog is
  'Every way in which the service says no: the scenario that stands in extensions.scenario of an error, with its meaning.';
comment on column app_public.error_catalog.scenario is 'Stable name of the refusal; what a client should branch on.';
comment on column app_public.error_catalog.code is
  'Kind of refusal: SK400 invalid input, SK401 not logged in, SK403 not allowed, SK404 not found, SK409 conflict, SK422 a booking rule says no, SK429 too many attempts, SK500 our fault, SK503 not available now.';
comment on column app_public.error_catalog.is_recoverable is
  'Whether the same wish can succeed later or with another choice (another slot, another try).';
comment on column app_public.error_catalog.message is 'One sentence for people.';
comment on column app_public.error_catalog.hint is 'What to do about it.';

--!include functions/foundation/clock.sql
--!include functions/foundation/new_id.sql
--!include functions/foundation/claims.sql
--!include functions/foundation/refuse.sql
--!include policies/error_catalog.sql

reset role;
