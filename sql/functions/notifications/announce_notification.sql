-- Tells the outside, by a row, that an inbox has changed: a new notification, or one that was read on
-- one device while another shows it. Identifiers only, and whether it is new: that is sent out, what was
-- read is not. The relay carries them. It is the one place that does so, whoever leaves a notification. Definer, because readers may not write the outbox.
create or replace function app_private.announce_notification() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'notification', new.id::text, jsonb_build_object(
    'patient_id', new.patient_id, 'doctor_id', new.doctor_id, 'account_id', new.account_id,
    'notification_ids', jsonb_build_array(new.id), 'is_new', tg_op = 'INSERT'));
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
