-- Reminds the patients of a hospital whose reminder has come due since the last time: one row of their
-- inbox each, whose trigger tells the relay. Read are, offset by offset, the visits whose start less the
-- offset was passed since the mark (and a quarter of an hour before it, for bookings that were being
-- written then); after an outage that is all of what was missed, after five minutes those few. A hospital's first run looks back to its beginning.
-- Nobody is reminded of what they were told less than the offset before: who books, moves or is accepted
-- an hour ahead gets no reminder of the day before. Of several offsets that have passed only the nearest
-- is sent, and none further away after it. A key of appointment, start and offset makes a repetition do
-- nothing; a visit that moved has another start, and is reminded anew.
-- The visits are locked, shared, before they are told of: who cancels or moves one at this moment either
-- comes after the reminder or leaves none. What is locked by them is skipped; the next run finds it, if
-- it still is as it was. Two runs at once take turns at the mark.
-- Definer, because nobody may write to inboxes.
create or replace function app_private.send_reminders(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  place app_public.hospital;
  since timestamptz;
  sent integer;
begin
  select * into place from app_public.hospital where hospital.id = send_reminders.hospital_id;
  insert into app_private.reminder_mark (hospital_id, reached_at)
  values (send_reminders.hospital_id, place.created_at)
  on conflict on constraint reminder_mark_pkey do nothing;
  select reminder_mark.reached_at - interval '15 minutes' into since
  from app_private.reminder_mark
  where reminder_mark.hospital_id = send_reminders.hospital_id
  for no key update;

  with passed as (
    select appointment.id, appointment.patient_id, appointment.doctor_id, appointment.location_id,
      appointment.starts_at, nearest.span
    from (select app_private.absolute_span(given) as span from unnest(place.reminder_offsets) as given) as nearest
    join app_public.appointment
      on appointment.hospital_id = send_reminders.hospital_id
      and appointment.status in ('scheduled', 'confirmed')
      and appointment.starts_at > greatest(instant, since + nearest.span)
      and appointment.starts_at <= instant + nearest.span
    where appointment.created_at <= appointment.starts_at - nearest.span
      and not exists (
        select from app_public.notification
        where notification.hospital_id = send_reminders.hospital_id
          and notification.appointment_id = appointment.id
          and notification.event in ('appointment_booked', 'appointment_moved', 'request_accepted')
          and notification.created_at > appointment.starts_at - nearest.span)
      and not exists (
        select from app_public.appointment_reminder as earlier
        where earlier.hospital_id = send_reminders.hospital_id
          and earlier.appointment_id = appointment.id
          and earlier.starts_at = appointment.starts_at
          and earlier.lead_time <= nearest.span)
    for share of appointment skip locked
  ), due as (
    select distinct on (passed.id) passed.*, app_private.new_id() as notification_id
    from passed
    order by passed.id, passed.span
  ), reminded as (
    insert into app_public.appointment_reminder (
      hospital_id, appointment_id, starts_at, lead_time, notification_id, created_at)
    select send_reminders.hospital_id, due.id, due.starts_at, due.span, due.notification_id, instant
    from due
    on conflict on constraint appointment_reminder_pkey do nothing
    returning notification_id
  )
  insert into app_public.notification (
    hospital_id, id, patient_id, event, priority, channels, title, body, appointment_id, created_at)
  select send_reminders.hospital_id, due.notification_id, due.patient_id, template.event, template.priority,
    template.channels,
    app_private.fill_template(template.title, null, doctor.display_name, location.name, told.starts_at, null),
    app_private.fill_template(template.body, null, doctor.display_name, location.name, told.starts_at, null),
    due.id, instant
  from reminded
  join due on due.notification_id = reminded.notification_id
  join app_public.notification_template as template
    on template.event = 'appointment_reminder' and template.audience = 'patient'
  join app_public.doctor
    on doctor.hospital_id = send_reminders.hospital_id and doctor.id = due.doctor_id
  left join app_public.location
    on location.hospital_id = send_reminders.hospital_id and location.id = due.location_id
  cross join lateral (select app_private.local_time(due.starts_at, place.time_zone) as starts_at) as told;
  get diagnostics sent = row_count;

  update app_private.reminder_mark set reached_at = instant
  where reminder_mark.hospital_id = send_reminders.hospital_id and reminder_mark.reached_at < instant;
  return sent;
end
$$;

comment on function app_private.send_reminders(uuid) is
  'Leaves the reminders of a hospital that have come due, and returns how many.';

revoke execute on function app_private.send_reminders(uuid) from public;
grant execute on function app_private.send_reminders(uuid) to app_worker;
