--! Previous: -
--! Hash: sha1:5bd3ef75a1be074c80f57422763bc0ad79e3c01d
--! Message: foundation

--! split: 01-foundation.sql
-- Foundation: roles, schemas, the clock, identifiers, claims, and the one form of a refusal.

--! Included roles.sql
-- The roles of the house. They belong to the whole cluster, not to one database, so they are
-- created only where missing. Only the two login roles can connect; neither has a password until
-- the migrator sets one, and neither owns anything of the application.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('app_owner', 'nologin noinherit'),
      ('app_authenticator', 'login noinherit'),
      ('app_worker', 'login noinherit'),
      ('app_login', 'nologin noinherit'),
      ('app_anonymous', 'nologin noinherit'),
      ('app_patient', 'nologin noinherit'),
      ('app_doctor', 'nologin noinherit'),
      ('app_nurse', 'nologin noinherit'),
      ('app_receptionist', 'nologin noinherit'),
      ('app_admin', 'nologin noinherit'),
      ('app_monitor', 'nologin noinherit')
    ) as role_list (name, options)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.options);
    end if;
  end loop;

  -- Whoever migrates must be able to act as the owner, and to give the worker its schema. A
  -- superuser already can; another role grants itself what CREATEROLE entitles it to.
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute format('grant app_owner, app_worker to %I', current_user);
  end if;

  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to app_authenticator, app_worker, app_monitor', current_database());
end
$$;

-- The server logs in as app_authenticator and becomes, for one transaction, one of these.
grant app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  to app_authenticator;

-- Timeouts stand on the login role, because SET ROLE does not apply a role's own settings.
alter role app_authenticator set statement_timeout = '5s';
alter role app_authenticator set lock_timeout = '2s';
alter role app_authenticator set idle_in_transaction_session_timeout = '10s';
alter role app_authenticator set client_connection_check_interval = '1s';
alter role app_worker set statement_timeout = '5min';
alter role app_worker set lock_timeout = '10s';
alter role app_worker set idle_in_transaction_session_timeout = '1min';
alter role app_worker set client_connection_check_interval = '1s';
--! EndIncluded roles.sql

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

--! Included functions/foundation/clock.sql
-- The one clock of the system: the start of the transaction, moved by a shift that only the owner
-- may set (to rehearse a day, or in a test). Clients cannot reach the shift, and no server's or
-- worker's own clock is ever asked.
create or replace function app_private.clock() returns timestamptz
language plpgsql stable parallel safe security definer
set search_path = ''
as $$
begin
  return now() + coalesce((select clock_shift.shift from app_private.clock_shift), interval '0');
end
$$;

comment on function app_private.clock() is
  'The present instant as every rule sees it: now() plus app_private.clock_shift.';

revoke execute on function app_private.clock() from public;
grant execute on function app_private.clock()
  to app_worker, app_login, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
--! EndIncluded functions/foundation/clock.sql
--! Included functions/foundation/new_id.sql
-- A time-ordered uuid (version 7, RFC 9562): 48 bits of milliseconds, then random bits. The native
-- function where the server has one (Postgres 18), else the same layout made of gen_random_uuid().
do $$
begin
  if current_setting('server_version_num')::int >= 180000 then
    execute $native$
      create or replace function app_private.new_id() returns uuid
      language sql volatile parallel safe
      return uuidv7()
    $native$;
  else
    execute $own$
      create or replace function app_private.new_id() returns uuid
      language sql volatile parallel safe
      return encode(
        set_bit(set_bit(
          overlay(uuid_send(gen_random_uuid())
            placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
            from 1 for 6),
          52, 1), 53, 1),
        'hex')::uuid
    $own$;
  end if;
end
$$;

comment on function app_private.new_id() is 'A new time-ordered uuid (version 7).';

revoke execute on function app_private.new_id() from public;
grant execute on function app_private.new_id()
  to app_worker, app_login, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/foundation/new_id.sql
--! Included functions/foundation/claims.sql
-- What the server says of a request, as settings of its transaction. Plain stable expressions
-- without a table, so that policies stay index conditions; a missing claim is null, and null fails
-- closed in every policy.
create or replace function app_private.claim_hospital_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.hospital_id', true), '')::uuid;

create or replace function app_private.claim_account_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.account_id', true), '')::uuid;

create or replace function app_private.claim_doctor_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.doctor_id', true), '')::uuid;

create or replace function app_private.claim_patient_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.patient_id', true), '')::uuid;

create or replace function app_private.claim_request_id() returns text
language sql stable parallel safe
return nullif(current_setting('claims.request_id', true), '');

-- Who acts, for the state machine and the audit: the role of the claims; without claims the
-- worker's login, or an operator in psql. The server's login without a claim is nobody.
create or replace function app_private.actor_role() returns text
language sql stable parallel safe
return coalesce(
  nullif(current_setting('claims.role', true), ''),
  case session_user
    when 'app_authenticator' then 'anonymous'
    when 'app_worker' then 'worker'
    else 'operator'
  end);

comment on function app_private.claim_hospital_id() is 'Hospital of the request, or null.';
comment on function app_private.claim_account_id() is 'Account of the request, or null.';
comment on function app_private.claim_doctor_id() is 'Doctor that the request''s account is, or null.';
comment on function app_private.claim_patient_id() is 'Patient that the request''s account is, or null.';
comment on function app_private.claim_request_id() is 'Identifier of the request, shared with the server''s log, or null.';
comment on function app_private.actor_role() is
  'Who acts: patient, doctor, nurse, receptionist, admin, anonymous, worker or operator (psql without claims).';

revoke execute on function
  app_private.claim_hospital_id(), app_private.claim_account_id(), app_private.claim_doctor_id(),
  app_private.claim_patient_id(), app_private.claim_request_id(), app_private.actor_role()
  from public;
grant execute on function
  app_private.claim_hospital_id(), app_private.claim_account_id(), app_private.claim_doctor_id(),
  app_private.claim_patient_id(), app_private.claim_request_id(), app_private.actor_role()
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
--! EndIncluded functions/foundation/claims.sql
--! Included functions/foundation/refuse.sql
-- The one way to say no. The scenario's code, words and hint stand in error_catalog and nowhere
-- else; a caller adds only the details. A scenario that the catalog does not know is a bug of ours
-- and surfaces as one (an unmapped error, masked at the edge), never as a silent pass.
create or replace function app_private.refuse(scenario text, details jsonb default '{}')
returns void
language plpgsql stable
set search_path = ''
as $$
declare
  entry app_public.error_catalog;
begin
  select * into entry from app_public.error_catalog where error_catalog.scenario = refuse.scenario;
  if not found then
    raise exception 'scenario % is not in the error catalog', refuse.scenario;
  end if;
  raise exception using
    errcode = entry.code,
    message = entry.message,
    detail = jsonb_build_object(
      'scenario', entry.scenario, 'recoverable', entry.is_recoverable, 'details', details)::text,
    hint = entry.hint;
end
$$;

comment on function app_private.refuse(text, jsonb) is
  'Raises the scenario of the error catalog with these details; never returns.';

revoke execute on function app_private.refuse(text, jsonb) from public;
grant execute on function app_private.refuse(text, jsonb)
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/foundation/refuse.sql
--! Included policies/error_catalog.sql
-- The catalog of refusals holds nothing private: everybody reads it, nobody but a migration writes it.
alter table app_public.error_catalog enable row level security;
alter table app_public.error_catalog force row level security;

grant select on app_public.error_catalog
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists everybody_reads on app_public.error_catalog;
create policy everybody_reads on app_public.error_catalog for select
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor
  using (true);

drop policy if exists owner_maintains on app_public.error_catalog;
create policy owner_maintains on app_public.error_catalog to app_owner using (true) with check (true);
--! EndIncluded policies/error_catalog.sql

reset role;
