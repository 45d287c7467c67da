-- A delivery says again for whom its notification is, so that people can be shown their own. Read from the
-- delivery by the key of its notification.
create or replace view checks.delivery_to_somebody_else as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('A delivery by %s (%s) is for somebody else than its notification (%s).', broken.channel, broken.status, broken.event) as detail,
  jsonb_build_object(
    'notification_id', broken.notification_id,
    'appointment_id', broken.appointment_id,
    'channel', broken.channel,
    'status', broken.status,
    'event', broken.event) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select delivery.hospital_id, delivery.id, delivery.notification_id, delivery.channel, delivery.status,
    notification.event, notification.appointment_id
  from app_public.notification_delivery as delivery
  join app_public.notification
    on notification.hospital_id = delivery.hospital_id and notification.id = delivery.notification_id
  where delivery.patient_id is distinct from notification.patient_id
    or delivery.doctor_id is distinct from notification.doctor_id
    or delivery.account_id is distinct from notification.account_id
) as broken
join app_public.health_check as entry on entry.name = 'delivery_to_somebody_else';

comment on view checks.delivery_to_somebody_else is 'Deliveries that are for somebody else than their notification.';
revoke all on checks.delivery_to_somebody_else from public;
grant select on checks.delivery_to_somebody_else to app_monitor;

select app_private.declare_check(
  name => 'delivery_to_somebody_else', domain => 'appointments', severity => 'critical', entity_type => 'notification_delivery',
  title => 'A message for one person goes to another',
  meaning => 'notification_delivery names another patient, doctor or account than the notification that it delivers. One of the two was changed by hand.',
  importance => 'Somebody may read what is about another patient: a breach that has to be reported.',
  resolution => 'If it is pending, keep it from going out first: update app_public.notification_delivery set status = ''skipped'' as an operator. If it was sent, tell whoever answers for privacy in the hospital. Then find out who wrote it: the database''s log, and pg_stat_activity.',
  remedy => 'review',
  is_event_driven => false);
