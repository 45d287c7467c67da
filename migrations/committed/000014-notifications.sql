--! Previous: sha1:bc8e77ebcb55863f3d56625341b6fe9ce68c28e9
--! Hash: sha1:f4cb73930a7007b78ec17ffc414590b8b18364be
--! Message: notifications

--! split: 1-current.sql
-- Notifications: the words, who is told, and the inbox.

set local role app_owner;

alter table app_public.hospital
  add column notifications_kept_days integer not null default 90
    constraint read_notifications_are_kept_1_to_3650_days check (notifications_kept_days between 1 and 3650);
comment on column app_public.hospital.notifications_kept_days is
  'How many days a notification is kept after it was read.';

alter table app_public.notification_template
  add constraint names_in_braces_stand_for_facts check (
    regexp_replace(title || body,
      '\{(patient|doctor|location|starts_at|reason|held_until|holiday|message)\}', '', 'g') !~ '[{}]');

-- The unread ones of each inbox, newest last: what the badge counts and the list shows first.
create index unread_notification_of_a_patient on app_public.notification (hospital_id, patient_id, id)
  where patient_id is not null and read_at is null;
create index unread_notification_of_a_doctor on app_public.notification (hospital_id, doctor_id, id)
  where doctor_id is not null and read_at is null;
create index unread_notification_of_an_account on app_public.notification (hospital_id, account_id, id)
  where account_id is not null and read_at is null;
create index read_notification_by_time on app_public.notification (hospital_id, read_at) where read_at is not null;

--! Included catalog/notification_template.sql
-- What people are told, event by event: the only place where these words stand.
with wanted (event, audience, priority, channels, title, body) as (
  values
    ('appointment_booked', 'patient', 'normal', '{in_app,email}', 'Appointment booked', 'Your appointment with {doctor} is on {starts_at}, {location}.'),
    ('appointment_moved', 'patient', 'normal', '{in_app,email}', 'Appointment moved', 'Your appointment with {doctor} is now on {starts_at}, {location}.'),
    ('appointment_moved', 'doctor', 'normal', '{in_app}', 'Appointment moved', '{patient} now comes on {starts_at}.'),
    ('appointment_cancelled', 'patient', 'normal', '{in_app,email}', 'Appointment cancelled', 'Your appointment with {doctor} on {starts_at} was cancelled. {reason}'),
    ('appointment_cancelled', 'doctor', 'normal', '{in_app}', 'Appointment cancelled', '{patient} does not come on {starts_at}. {reason}'),
    ('doctor_emergency', 'patient', 'high', '{in_app,email,sms}', 'Appointment Cancelled - Doctor Emergency', 'Your appointment with {doctor} on {starts_at} was cancelled because of an emergency. Please book another time.'),
    ('doctor_unavailable', 'patient', 'high', '{in_app,email,sms}', 'Appointment cancelled', '{doctor} takes no appointments at present; yours on {starts_at} was cancelled. Please book with another doctor.'),
    ('doctor_absent', 'patient', 'normal', '{in_app,email}', 'Appointment affected', '{doctor} is away on {starts_at}. The hospital will offer you another time.'),
    ('hospital_closed', 'patient', 'normal', '{in_app,email}', 'Appointment affected', 'The hospital is closed on {starts_at}: {holiday}. It will offer you another time.'),
    ('schedule_changed', 'patient', 'high', '{in_app,sms}', 'Appointment affected', 'The hours of {doctor} have changed, and your appointment on {starts_at} lies outside them. The hospital will offer you another time.'),
    ('time_zone_changed', 'patient', 'high', '{in_app,sms}', 'Appointment affected', 'The hospital''s clocks have changed, and your appointment with {doctor} on {starts_at} lies outside its hours now. The hospital will offer you another time.'),
    ('request_received', 'doctor', 'normal', '{in_app,email}', 'Appointment requested', '{patient} asks for an appointment on {starts_at}. {reason}'),
    ('request_accepted', 'patient', 'normal', '{in_app,email}', 'Request accepted', '{doctor} expects you on {starts_at}, {location}.'),
    ('request_declined', 'patient', 'normal', '{in_app,email}', 'Request declined', '{doctor} cannot see you on {starts_at}. {reason}'),
    ('request_expired', 'patient', 'normal', '{in_app,email}', 'Request expired', 'Your request for {starts_at} with {doctor} was not answered in time. Please book another time.'),
    ('time_proposed', 'patient', 'high', '{in_app,email,sms}', 'Another time proposed', '{doctor} proposes {starts_at} instead. The seat is held for you until {held_until}: confirm or cancel it. {message}'),
    ('seat_offered', 'patient', 'high', '{in_app,email,sms}', 'A seat has become free', '{doctor} can see you on {starts_at}, {location}. The seat is held for you until {held_until}: confirm or cancel it.')
)
insert into app_public.notification_template (event, audience, priority, channels, title, body)
select event, audience, priority::app_public.notification_priority, channels::text[], title, body
from wanted
on conflict on constraint notification_template_pkey do update
set priority = excluded.priority,
    channels = excluded.channels,
    title = excluded.title,
    body = excluded.body
where (notification_template.priority, notification_template.channels, notification_template.title, notification_template.body)
  is distinct from (excluded.priority, excluded.channels, excluded.title, excluded.body);
--! EndIncluded catalog/notification_template.sql
--! Included functions/notifications/fill_template.sql
-- Puts facts into a text: {name} becomes the fact of that name, or nothing where there is none. The names
-- become numbers of format() first, all facts come in one pass then, so that a fact is never read as a
-- template itself, whatever a person wrote into it. One expression, so that it is inlined: it runs inside
-- every booking. A name that is missing here is one that no template may use; a constraint says so.
create or replace function app_private.fill_template(
  words text, patient text, doctor text, location text, starts_at text, facts jsonb)
returns text
language sql stable parallel safe
return rtrim(format(
  replace(replace(replace(replace(replace(replace(replace(replace(replace(words,
    '%', '%%'),
    '{patient}', '%1$s'),
    '{doctor}', '%2$s'),
    '{location}', '%3$s'),
    '{starts_at}', '%4$s'),
    '{reason}', '%5$s'),
    '{held_until}', '%6$s'),
    '{holiday}', '%7$s'),
    '{message}', '%8$s'),
  patient, doctor, location, starts_at,
  facts ->> 'reason', facts ->> 'held_until', facts ->> 'holiday', facts ->> 'message'));

comment on function app_private.fill_template(text, text, text, text, text, jsonb) is
  'A text with the facts in place of their names in braces, without spaces at its end.';

revoke execute on function app_private.fill_template(text, text, text, text, text, jsonb) from public;
--! EndIncluded functions/notifications/fill_template.sql
--! Included functions/notifications/local_time.sql
-- How people are told a time: always on the hospital's own clock, in English, without a zone, as it
-- hangs on the hospital's wall.
create or replace function app_private.local_time(instant timestamptz, time_zone text) returns text
language sql stable parallel safe
return to_char(instant at time zone time_zone, 'FMDay, FMDD FMMonth YYYY, HH24:MI');

comment on function app_private.local_time(timestamptz, text) is 'An instant as people of this time zone say it.';

revoke execute on function app_private.local_time(timestamptz, text) from public;
--! EndIncluded functions/notifications/local_time.sql
--! Included functions/notifications/notify_of_appointment.sql
-- Tells the patient or the doctor of an appointment what happened to it: one row of their inbox, in
-- the words of the event's template, with the names and the local time of that moment. An event
-- without a template for this audience tells nobody. It runs inside every booking, so it looks up by
-- key, one by one, only what this audience is told (nobody needs their own name): a join of it all
-- takes longer to set up than that.
-- Only triggers and flows that run as the owner call it; a role that could would write into the inbox
-- of others, so no role is granted it, nor the insert.
-- facts: reason, held_until, holiday, message, where the event has them.
create or replace function app_private.notify_of_appointment(
  event text, audience text, appointment app_public.appointment, facts jsonb default null)
returns void
language plpgsql
as $$
declare
  template app_public.notification_template;
  patient_name text;
  doctor_name text;
  location_name text;
  local_start text;
begin
  select * into template
  from app_public.notification_template
  where notification_template.event = notify_of_appointment.event
    and notification_template.audience = notify_of_appointment.audience;
  if not found then
    return;
  end if;

  if audience = 'doctor' then
    select patient.name into patient_name
    from app_public.patient
    where patient.hospital_id = appointment.hospital_id and patient.id = appointment.patient_id;
  else
    select doctor.display_name into doctor_name
    from app_public.doctor
    where doctor.hospital_id = appointment.hospital_id and doctor.id = appointment.doctor_id;
    select location.name into location_name
    from app_public.location
    where location.hospital_id = appointment.hospital_id and location.id = appointment.location_id;
  end if;
  select app_private.local_time(lower(appointment.during), hospital.time_zone) into local_start
  from app_public.hospital
  where hospital.id = appointment.hospital_id;

  insert into app_public.notification (
    hospital_id, patient_id, doctor_id, event, priority, channels, title, body, appointment_id, created_at)
  values (
    appointment.hospital_id,
    case audience when 'patient' then appointment.patient_id end,
    case audience when 'doctor' then appointment.doctor_id end,
    template.event,
    template.priority,
    template.channels,
    app_private.fill_template(template.title, patient_name, doctor_name, location_name, local_start, facts),
    app_private.fill_template(template.body, patient_name, doctor_name, location_name, local_start, facts),
    appointment.id,
    app_private.clock());
end
$$;

comment on function app_private.notify_of_appointment(text, text, app_public.appointment, jsonb) is
  'Leaves a notification about an appointment for its patient or its doctor.';

revoke execute on function app_private.notify_of_appointment(text, text, app_public.appointment, jsonb) from public;
--! EndIncluded functions/notifications/notify_of_appointment.sql
--! Included functions/notifications/announce_notification.sql
-- Tells the outside, by a row, that an inbox has changed: a new notification, or one that was read on
-- one device while another shows it. Identifiers only; the relay carries them. It is the one place that
-- does so, whoever leaves a notification. Definer, because readers may not write the outbox.
create or replace function app_private.announce_notification() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'notification', new.id::text, jsonb_build_object(
    'patient_id', new.patient_id, 'doctor_id', new.doctor_id, 'account_id', new.account_id,
    'notification_ids', jsonb_build_array(new.id)));
  return null;
end
$$;

comment on function app_private.announce_notification() is
  'Trigger: leaves a message in the outbox for a new notification and for one that was read.';

revoke execute on function app_private.announce_notification() from public;

create or replace trigger new_notification_is_announced
  after insert on app_public.notification
  for each row execute function app_private.announce_notification();

create or replace trigger reading_is_announced
  after update of read_at on app_public.notification
  for each row when ((old.read_at is null) <> (new.read_at is null))
  execute function app_private.announce_notification();
--! EndIncluded functions/notifications/announce_notification.sql
--! Included functions/notifications/unread_notification_count.sql
-- Row-level security leaves the caller's own inbox; of that an index holds the unread ones alone, so
-- that the count costs what is unread, however much was read before.
create or replace function app_public.unread_notification_count()
returns integer
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return (
    select count(*)
    from app_public.notification
    where notification.hospital_id = hospital and notification.read_at is null);
end
$$;

comment on function app_public.unread_notification_count() is 'How many of your notifications you have not read.';

revoke execute on function app_public.unread_notification_count() from public;
grant execute on function app_public.unread_notification_count()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/notifications/unread_notification_count.sql
--! Included functions/notifications/mark_notification_read.sql
-- What was read stays read since the first time, so that repeating it changes nothing and tells nobody.
create or replace function app_public.mark_notification_read(notification_id uuid)
returns app_public.notification
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  marked app_public.notification;
begin
  update app_public.notification
  set read_at = coalesce(notification.read_at, instant)
  where notification.hospital_id = hospital and notification.id = notification_id
  returning * into marked;
  if not found then
    perform app_private.refuse('notification_not_found', jsonb_build_object('notification_id', notification_id));
  end if;
  return marked;
end
$$;

comment on function app_public.mark_notification_read(uuid) is
  'Marks one of your notifications as read. One that was read already keeps the time at which it was.';

revoke execute on function app_public.mark_notification_read(uuid) from public;
grant execute on function app_public.mark_notification_read(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/notifications/mark_notification_read.sql
--! Included functions/notifications/mark_notification_unread.sql
create or replace function app_public.mark_notification_unread(notification_id uuid)
returns app_public.notification
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  marked app_public.notification;
begin
  update app_public.notification
  set read_at = null
  where notification.hospital_id = hospital and notification.id = notification_id
  returning * into marked;
  if not found then
    perform app_private.refuse('notification_not_found', jsonb_build_object('notification_id', notification_id));
  end if;
  return marked;
end
$$;

comment on function app_public.mark_notification_unread(uuid) is
  'Marks one of your notifications as unread, to come back to it.';

revoke execute on function app_public.mark_notification_unread(uuid) from public;
grant execute on function app_public.mark_notification_unread(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/notifications/mark_notification_unread.sql
--! Included functions/notifications/mark_all_notifications_read.sql
-- All that is unread in the caller's own inbox, which is what row-level security leaves.
create or replace function app_public.mark_all_notifications_read()
returns integer
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  marked integer;
begin
  update app_public.notification
  set read_at = instant
  where notification.hospital_id = hospital and notification.read_at is null;
  get diagnostics marked = row_count;
  return marked;
end
$$;

comment on function app_public.mark_all_notifications_read() is
  'Marks all of your notifications as read and returns how many were unread.';

revoke execute on function app_public.mark_all_notifications_read() from public;
grant execute on function app_public.mark_all_notifications_read()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/notifications/mark_all_notifications_read.sql
--! Included functions/notifications/remove_read_notifications.sql
-- What was read long ago, by the hospital's own measure; unread ones stay, and leave with their
-- appointment. Definer, because no role may delete notifications.
create or replace function app_private.remove_read_notifications(hospital_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  limit_of_memory timestamptz;
  removed integer;
begin
  select app_private.clock() - make_interval(days => hospital.notifications_kept_days) into limit_of_memory
  from app_public.hospital
  where hospital.id = remove_read_notifications.hospital_id;

  delete from app_public.notification
  where notification.hospital_id = remove_read_notifications.hospital_id
    and notification.read_at < limit_of_memory;
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_read_notifications(uuid) is
  'Deletes the notifications of a hospital that were read longer ago than it keeps them, and returns how many.';

revoke execute on function app_private.remove_read_notifications(uuid) from public;
grant execute on function app_private.remove_read_notifications(uuid) to app_worker;
--! EndIncluded functions/notifications/remove_read_notifications.sql
--! Included policies/notification.sql
-- An inbox is its reader's alone: a patient's, a doctor's, or of a member of the staff by account; an
-- admin sees no other one. Readers may say that they have read a row, and nothing else.
alter table app_public.notification enable row level security;
alter table app_public.notification force row level security;

grant select on app_public.notification to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (read_at) on app_public.notification to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of insert to anybody: triggers and flows write, as the owner; who could insert would write
-- to others. No grant of delete either, nor any to app_worker and app_monitor: the words are personal.

drop policy if exists patients_read_their_inbox on app_public.notification;
create policy patients_read_their_inbox on app_public.notification for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_mark_what_they_read on app_public.notification;
create policy patients_mark_what_they_read on app_public.notification for update to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id())
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_read_their_inbox on app_public.notification;
create policy doctors_read_their_inbox on app_public.notification for select to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_mark_what_they_read on app_public.notification;
create policy doctors_mark_what_they_read on app_public.notification for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists staff_read_their_inbox on app_public.notification;
create policy staff_read_their_inbox on app_public.notification for select to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists staff_mark_what_they_read on app_public.notification;
create policy staff_mark_what_they_read on app_public.notification for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id())
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.notification;
create policy owner_maintains on app_public.notification for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/notification.sql
--! Included policies/notification_template.sql
-- The words of notifications are read by what writes notifications, as the owner, and changed by
-- migrations. Nobody else has a right: readers meet the words in their inbox, filled in.
alter table app_public.notification_template enable row level security;
alter table app_public.notification_template force row level security;

drop policy if exists owner_maintains on app_public.notification_template;
create policy owner_maintains on app_public.notification_template for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/notification_template.sql

reset role;
