--! Previous: sha1:2e09517574011db0986a075e255175e14329a43b
--! Hash: sha1:0d9cd402de028fbb661fc1fefb449ff4cff1a447
--! Message: webhook-sequence

--! split: 1-current.sql
-- Events of an appointment carry a number that grows with each of them.

set local role app_owner;

--! Included functions/webhooks/plan_webhooks.sql
-- One delivery an event and active subscription that names it. The event's id follows from the message in
-- the outbox, so that a message that is relayed twice plans nothing twice. The message's number is drawn
-- while the appointment's row is locked, so it grows with every event of an appointment, which the time
-- (the start of a transaction) does not. Identifiers, states and times only. Definer, because no role may plan deliveries.
create or replace function app_private.plan_webhooks(hospital_id uuid, events jsonb)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  iso constant text := 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';
  planned integer;
begin
  insert into app_public.webhook_delivery (hospital_id, subscription_id, event, event_id, payload, occurred_at)
  select plan_webhooks.hospital_id, subscription.id, message.event,
    md5(format('%s/outbox/%s', plan_webhooks.hospital_id, message.outbox_id))::uuid,
    jsonb_build_object(
      'hospital_id', plan_webhooks.hospital_id,
      'sequence', message.outbox_id,
      'appointment_id', message.appointment_id,
      'doctor_id', message.doctor_id,
      'slot_id', message.slot_id,
      'patient_id', appointment.patient_id,
      'service_id', appointment.service_id,
      'status', message.status,
      'previous_status', message.previous_status,
      'starts_at', to_char(message.starts_at at time zone 'UTC', iso),
      'ends_at', to_char(message.ends_at at time zone 'UTC', iso)),
    message.occurred_at
  from jsonb_to_recordset(events) as message (
    outbox_id bigint, event text, appointment_id uuid, doctor_id uuid, slot_id uuid, status text,
    previous_status text, starts_at timestamptz, ends_at timestamptz, occurred_at timestamptz)
  join app_public.webhook_subscription as subscription
    on subscription.hospital_id = plan_webhooks.hospital_id and subscription.status = 'active'
    and message.event = any (subscription.events)
  left join app_public.appointment
    on appointment.hospital_id = plan_webhooks.hospital_id and appointment.id = message.appointment_id
  order by message.outbox_id, subscription.id
  on conflict on constraint a_subscription_is_told_once_of_an_event do nothing;
  get diagnostics planned = row_count;
  return planned;
end
$$;

comment on function app_private.plan_webhooks(uuid, jsonb) is
  'Plans who is told of these events of a hospital, and returns how many deliveries that are.';

revoke execute on function app_private.plan_webhooks(uuid, jsonb) from public;
grant execute on function app_private.plan_webhooks(uuid, jsonb) to app_worker;
--! EndIncluded functions/webhooks/plan_webhooks.sql

reset role;
