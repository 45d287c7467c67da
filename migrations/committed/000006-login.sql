--! Previous: sha1:3d4a0b05097bafedcf5a8750b57ebb48be1a3cff
--! Hash: sha1:bad39407fdc8636886beb44f1df1a2669438d476
--! Message: login

--! split: 06-login.sql
-- Login: sessions and their tokens, registration, and what belongs to hospitals and patients.

set local role app_owner;

--! Included functions/identity/announce_session_end.sql
-- Whatever ends a session, the servers hear of it: by a row for the relay, in the same transaction.
-- Definer, because who ends a session may not write the outbox.
create or replace function app_private.announce_session_end() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (old.hospital_id, 'session', old.id::text, jsonb_build_object('session_ids', jsonb_build_array(old.id)));
  return null;
end
$$;

comment on function app_private.announce_session_end() is
  'Trigger: leaves a message in the outbox for a session that ended or was deleted while it was good.';

revoke execute on function app_private.announce_session_end() from public;

create or replace trigger session_end_is_announced
  after update of ended_at on app_private.session
  for each row when (old.ended_at is null and new.ended_at is not null)
  execute function app_private.announce_session_end();

create or replace trigger session_deletion_is_announced
  after delete on app_private.session
  for each row when (old.ended_at is null and old.expires_at > app_private.clock())
  execute function app_private.announce_session_end();
--! EndIncluded functions/identity/announce_session_end.sql
--! Included functions/identity/create_patient.sql
-- Reception registers who has no login of their own.
create or replace function app_public.create_patient(
  medical_record_number text, name text, phone text default null, email text default null,
  date_of_birth date default null)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  created app_public.patient;
begin
  if exists (
    select from app_public.patient
    where patient.hospital_id = hospital
      and patient.medical_record_number = create_patient.medical_record_number)
  then
    perform app_private.refuse('medical_record_number_taken',
      jsonb_build_object('medical_record_number', medical_record_number));
  end if;
  insert into app_public.patient (hospital_id, medical_record_number, name, phone, email, date_of_birth)
  values (hospital, medical_record_number, name, phone, lower(email), date_of_birth)
  returning * into created;
  return created;
end
$$;

comment on function app_public.create_patient(text, text, text, text, date) is
  'Registers a patient with the hospital''s own record number. For receptionists and admins.';

revoke execute on function app_public.create_patient(text, text, text, text, date) from public;
grant execute on function app_public.create_patient(text, text, text, text, date) to app_receptionist, app_admin;
--! EndIncluded functions/identity/create_patient.sql
--! Included functions/identity/current_account.sql
create or replace function app_public.current_account() returns app_public.account
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_id uuid := app_private.claim_account_id();
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = hospital and account.id = own_id;
  return present;
end
$$;

comment on function app_public.current_account() is 'The account that is logged in.';

revoke execute on function app_public.current_account() from public;
grant execute on function app_public.current_account()
  to app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/identity/current_account.sql
--! Included functions/identity/end_session.sql
-- Logging out. Whoever holds a refresh token of a session, even a used one, may end it; ending twice
-- or what never was is no error. Definer, because no role may write sessions.
create or replace function app_private.end_session(hospital_id uuid, token_hash bytea)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  ended uuid;
begin
  update app_private.session
  set ended_at = app_private.clock(), end_reason = 'logout'
  from app_private.refresh_token
  where session.hospital_id = end_session.hospital_id
    and refresh_token.hospital_id = end_session.hospital_id
    and refresh_token.token_hash = end_session.token_hash
    and session.id = refresh_token.session_id
    and session.ended_at is null
  returning session.id into ended;
  return ended;
end
$$;

comment on function app_private.end_session(uuid, bytea) is
  'Ends the session of a refresh token and returns its id; null when there was none to end.';

revoke execute on function app_private.end_session(uuid, bytea) from public;
grant execute on function app_private.end_session(uuid, bytea) to app_login;
--! EndIncluded functions/identity/end_session.sql
--! Included functions/identity/end_sessions_of_account.sql
-- What an account may do stands in its access tokens. When that changes, or the account is switched
-- off, its sessions end in the same transaction, whoever makes the change. The row of the account is
-- locked by its update, so a login or a refresh at the same moment comes before or after, never
-- between (see open_session). Definer, because who changes an account may not write sessions.
create or replace function app_private.end_sessions_of_account() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_private.session
  set ended_at = app_private.clock(),
      end_reason = case when new.is_active then 'account_changed' else 'account_deactivated' end
  where session.hospital_id = new.hospital_id and session.account_id = new.id and session.ended_at is null;
  return null;
end
$$;

comment on function app_private.end_sessions_of_account() is
  'Trigger: ends the sessions of an account that is deactivated or becomes somebody else.';

revoke execute on function app_private.end_sessions_of_account() from public;

create or replace trigger account_change_ends_its_sessions
  after update of is_active, role, doctor_id, patient_id on app_public.account
  for each row when (
    (old.is_active, old.role, old.doctor_id, old.patient_id)
      is distinct from (new.is_active, new.role, new.doctor_id, new.patient_id))
  execute function app_private.end_sessions_of_account();
--! EndIncluded functions/identity/end_sessions_of_account.sql
--! Included functions/identity/ended_sessions.sql
-- What a server asks every few seconds, so that it refuses the access tokens of ended sessions even
-- when it missed the message of the relay. Of all hospitals: a server serves them all. Definer, because
-- no role may read sessions.
create or replace function app_private.ended_sessions(since timestamptz)
returns table (hospital_id uuid, session_id uuid)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select session.hospital_id, session.id from app_private.session where session.ended_at >= since;
end
$$;

comment on function app_private.ended_sessions(timestamptz) is 'Sessions that ended at or after this instant.';

revoke execute on function app_private.ended_sessions(timestamptz) from public;
grant execute on function app_private.ended_sessions(timestamptz) to app_login;
--! EndIncluded functions/identity/ended_sessions.sql
--! Included functions/identity/find_credentials.sql
-- The only way to a password hash, and only for the login routes: definer, because no role may read
-- account_secret. An unknown hospital, an unknown address and an inactive account all look alike: no
-- row. A lock is told as a fact; the routes then spend the same time and give the same answer.
create or replace function app_private.find_credentials(hospital_slug text, email text)
returns table (hospital_id uuid, account_id uuid, password_hash text, is_locked boolean)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  hospital uuid;
begin
  select hospital.id into hospital from app_public.hospital where hospital.slug = hospital_slug;
  return query
    select account.hospital_id, account.id, account_secret.password_hash,
      coalesce(account_secret.locked_until > app_private.clock(), false)
    from app_public.account
    join app_private.account_secret
      on account_secret.hospital_id = hospital and account_secret.account_id = account.id
    where account.hospital_id = hospital and account.email = find_credentials.email and account.is_active;
end
$$;

comment on function app_private.find_credentials(text, text) is
  'Password hash and lock of an active account, by the hospital''s slug and the lower-case address; no row where there is none.';

revoke execute on function app_private.find_credentials(text, text) from public;
grant execute on function app_private.find_credentials(text, text) to app_login;
--! EndIncluded functions/identity/find_credentials.sql
--! Included functions/identity/guard_time_zone.sql
-- A hospital's zone is one that Postgres knows by name, and stays as it is while slots lie ahead or an
-- appointment holds a seat: their local days are counted in it.
create or replace function app_private.guard_time_zone() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if not exists (select from pg_catalog.pg_timezone_names where pg_timezone_names.name = new.time_zone) then
    perform app_private.refuse('unknown_time_zone', jsonb_build_object('time_zone', new.time_zone));
  end if;
  if tg_op = 'UPDATE' and new.time_zone <> old.time_zone and (
    exists (
      select from app_public.slot
      where slot.hospital_id = new.id and slot.starts_at > app_private.clock() and slot.withdrawn_at is null)
    or exists (
      select from app_public.appointment
      where appointment.hospital_id = new.id and appointment.holds_seat))
  then
    perform app_private.refuse('time_zone_in_use', jsonb_build_object('time_zone', old.time_zone));
  end if;
  return new;
end
$$;

comment on function app_private.guard_time_zone() is
  'Trigger: refuses a time zone that Postgres does not know, and a change of zone while slots lie ahead.';

revoke execute on function app_private.guard_time_zone() from public;

create or replace trigger hospital_has_a_known_time_zone
  before insert or update of time_zone on app_public.hospital
  for each row execute function app_private.guard_time_zone();
--! EndIncluded functions/identity/guard_time_zone.sql
--! Included functions/identity/open_session.sql
-- Begins the session of somebody whose password was right. The account is locked first, shared: a
-- deactivation or a change of role at the same moment either waits and then ends this session, or has
-- happened and is seen here. Lock order: account, session. Definer, because no role may write sessions.
create or replace function app_private.open_session(
  hospital_id uuid, account_id uuid, token_hash bytea, lifetime interval)
returns table (
  session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text, display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  present app_public.account;
  opened uuid;
begin
  select * into present
  from app_public.account
  where account.hospital_id = open_session.hospital_id and account.id = open_session.account_id
    and account.is_active
  for share;
  if not found then
    perform app_private.refuse('invalid_credentials');
  end if;

  insert into app_private.session (hospital_id, account_id, expires_at)
  values (open_session.hospital_id, open_session.account_id, instant + lifetime)
  returning session.id into opened;
  insert into app_private.refresh_token (hospital_id, token_hash, session_id)
  values (open_session.hospital_id, open_session.token_hash, opened);

  update app_private.account_secret
  set failed_attempts = 0, locked_until = null
  where account_secret.hospital_id = open_session.hospital_id
    and account_secret.account_id = open_session.account_id
    and (account_secret.failed_attempts > 0 or account_secret.locked_until is not null);

  return query select opened, present.role, present.doctor_id, present.patient_id, present.email, present.display_name;
end
$$;

comment on function app_private.open_session(uuid, uuid, bytea, interval) is
  'Opens a session with its first refresh token, forgets failed tries, and returns what the access token says.';

revoke execute on function app_private.open_session(uuid, uuid, bytea, interval) from public;
grant execute on function app_private.open_session(uuid, uuid, bytea, interval) to app_login;
--! EndIncluded functions/identity/open_session.sql
--! Included functions/identity/record_failed_login.sql
-- The second line behind the limiter of the server, which may have forgotten: from the tenth failure
-- in a row on, the account is locked for one minute, then two, four, eight, and at most fifteen. Tries
-- during a lock do not prolong it, a day of rest forgets all, and a login that succeeds does too:
-- nobody can lock somebody else out for good. Definer, because no role may write account_secret.
create or replace function app_private.record_failed_login(hospital_id uuid, account_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  secret app_private.account_secret;
begin
  select * into secret
  from app_private.account_secret
  where account_secret.hospital_id = record_failed_login.hospital_id
    and account_secret.account_id = record_failed_login.account_id
  for no key update;
  if not found or secret.locked_until > instant then
    return;
  end if;

  secret.failed_attempts := 1 + case
    when secret.locked_until < instant - interval '1 day' then 0
    else least(secret.failed_attempts, 100)
  end;
  update app_private.account_secret
  set failed_attempts = secret.failed_attempts,
      locked_until = case
        when secret.failed_attempts >= 10
          then instant + least(interval '1 minute' * power(2, least(secret.failed_attempts - 10, 4)), interval '15 minutes')
      end
  where account_secret.hospital_id = record_failed_login.hospital_id
    and account_secret.account_id = record_failed_login.account_id;
end
$$;

comment on function app_private.record_failed_login(uuid, uuid) is
  'Counts a wrong password; many in a row lock the account for a while.';

revoke execute on function app_private.record_failed_login(uuid, uuid) from public;
grant execute on function app_private.record_failed_login(uuid, uuid) to app_login;
--! EndIncluded functions/identity/record_failed_login.sql
--! Included functions/identity/register_patient.sql
-- A patient's own account: record, login and password hash at once, or nothing. Always a new record,
-- never one that reception made: an address proves nothing about whose record it is. Definer, because
-- nobody who is not logged in may write patients or accounts.
create or replace function app_private.register_patient(
  hospital_slug text, email text, name text, password_hash text, phone text default null,
  date_of_birth date default null)
returns table (hospital_id uuid, account_id uuid)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid;
  record_number text;
  patient uuid;
  created uuid;
begin
  select hospital.id into hospital from app_public.hospital where hospital.slug = hospital_slug;
  if not found then
    perform app_private.refuse('hospital_not_found', jsonb_build_object('hospital', hospital_slug));
  end if;

  loop
    record_number := 'R-' || upper(left(replace(gen_random_uuid()::text, '-', ''), 12));
    exit when not exists (
      select from app_public.patient
      where patient.hospital_id = hospital and patient.medical_record_number = record_number);
  end loop;
  insert into app_public.patient (hospital_id, medical_record_number, name, phone, email, date_of_birth)
  values (hospital, record_number, register_patient.name, register_patient.phone, register_patient.email,
    register_patient.date_of_birth)
  returning patient.id into patient;

  insert into app_public.account (hospital_id, email, display_name, role, patient_id)
  values (hospital, register_patient.email, register_patient.name, 'patient', patient)
  on conflict on constraint an_email_is_one_account_in_its_hospital do nothing
  returning account.id into created;
  if created is null then
    perform app_private.refuse('email_taken');
  end if;

  insert into app_private.account_secret (hospital_id, account_id, password_hash)
  values (hospital, created, register_patient.password_hash);
  return query select hospital, created;
end
$$;

comment on function app_private.register_patient(text, text, text, text, text, date) is
  'Makes a patient with an account; refuses an address that has one in this hospital.';

revoke execute on function app_private.register_patient(text, text, text, text, text, date) from public;
grant execute on function app_private.register_patient(text, text, text, text, text, date) to app_login;
--! EndIncluded functions/identity/register_patient.sql
--! Included functions/identity/remove_old_sessions.sql
-- Sessions that ended or expired a week ago, with their refresh tokens: nobody asks for them any more,
-- and a token of theirs is refused as unknown just as it was refused as ended. Definer, because no role
-- may delete sessions.
create or replace function app_private.remove_old_sessions(hospital_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  limit_of_memory timestamptz := app_private.clock() - interval '7 days';
  removed integer;
begin
  delete from app_private.session
  where session.hospital_id = remove_old_sessions.hospital_id
    and (session.ended_at < limit_of_memory or session.expires_at < limit_of_memory);
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_old_sessions(uuid) is
  'Deletes the sessions of a hospital that ended or expired a week ago, and returns how many.';

revoke execute on function app_private.remove_old_sessions(uuid) from public;
grant execute on function app_private.remove_old_sessions(uuid) to app_worker;
--! EndIncluded functions/identity/remove_old_sessions.sql
--! Included functions/identity/rotate_session.sql
-- One refresh token for the next. A token that was used before is in two hands, and nobody can tell
-- whose: the whole session ends. It must end for good, so this is told by a row and never raised: an
-- error would roll the end back. Whatever else is wrong (unknown, expired, ended, account inactive) is
-- no row. Lock order: account, session; so two uses of one token stand in line, and a deactivation of
-- the account is either seen or ends what is made here. Definer, because no role may read sessions.
create or replace function app_private.rotate_session(
  hospital_id uuid, old_token_hash bytea, new_token_hash bytea)
returns table (
  is_reused boolean, session_id uuid, account_id uuid, role app_public.account_role, doctor_id uuid,
  patient_id uuid, email text, display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  owner_id uuid;
  family uuid;
  present app_public.account;
  is_used boolean;
begin
  select session.account_id, session.id into owner_id, family
  from app_private.refresh_token
  join app_private.session
    on session.hospital_id = rotate_session.hospital_id and session.id = refresh_token.session_id
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  if not found then
    return;
  end if;

  select * into present
  from app_public.account
  where account.hospital_id = rotate_session.hospital_id and account.id = owner_id
  for share;
  perform from app_private.session
  where session.hospital_id = rotate_session.hospital_id and session.id = family
    and session.ended_at is null and session.expires_at > instant
  for update;
  if not found or not present.is_active then
    return;
  end if;

  -- Asked again under the lock: somebody may have used it while this waited.
  select refresh_token.used_at is not null into is_used
  from app_private.refresh_token
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  if is_used then
    update app_private.session
    set ended_at = instant, end_reason = 'refresh_token_reused'
    where session.hospital_id = rotate_session.hospital_id and session.id = family;
    return query select true, family, owner_id, null::app_public.account_role, null::uuid, null::uuid, null, null;
    return;
  end if;

  update app_private.refresh_token
  set used_at = instant
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  insert into app_private.refresh_token (hospital_id, token_hash, session_id)
  values (rotate_session.hospital_id, new_token_hash, family);
  return query
    select false, family, owner_id, present.role, present.doctor_id, present.patient_id, present.email,
      present.display_name;
end
$$;

comment on function app_private.rotate_session(uuid, bytea, bytea) is
  'Uses up a refresh token for a new one and returns the account as it is now; a second use ends the session.';

revoke execute on function app_private.rotate_session(uuid, bytea, bytea) from public;
grant execute on function app_private.rotate_session(uuid, bytea, bytea) to app_login;
--! EndIncluded functions/identity/rotate_session.sql

reset role;
