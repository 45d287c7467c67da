-- Decides, for each of these notifications and each channel that it or its reader names, whether it goes
-- out and when; a pair that is planned already stays as it is, so it may be asked as often as one likes.
-- The inbox has it already. Normal ones wait for the end of quiet hours, high ones never. Who has no
-- account gets what the notification says. Returns the channels by which something is to be sent now.
-- Definer, because no role may write deliveries nor read the notifications of others.
create or replace function app_private.plan_deliveries(hospital_id uuid, notification_ids uuid[])
returns text[]
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  due text[];
begin
  with wanted as materialized (
    select notification.id, notification.patient_id, notification.doctor_id, notification.account_id,
      notification.event, notification.priority, way.channel,
      case way.channel when 'email' then reader.email when 'sms' then reader.phone when 'chat' then reader.chat end as address,
      case when notification.priority = 'high' or setting.quiet_from is null then instant
        else app_private.end_of_quiet_hours(
          instant, setting.quiet_from, setting.quiet_until, coalesce(setting.time_zone, hospital.time_zone))
      end as send_at,
      way.channel::text = any (notification.channels) as is_given,
      way.channel <> 'in_app' and reader.reader_account_id is not null as has_choice,
      reader.reader_account_id
    from app_public.notification
    join app_public.hospital on hospital.id = plan_deliveries.hospital_id
    join app_private.reachable_at(plan_deliveries.hospital_id, notification_ids) as reader
      on reader.notification_id = notification.id
    left join app_public.notification_setting as setting
      on setting.hospital_id = plan_deliveries.hospital_id and setting.account_id = reader.reader_account_id
    cross join unnest(enum_range(null::app_public.delivery_channel)) as way (channel)
    where notification.hospital_id = plan_deliveries.hospital_id and notification.id = any (notification_ids)
  ), chosen as (
    select wanted.*,
      case when wanted.has_choice then app_private.wants_channel(
        plan_deliveries.hospital_id, wanted.reader_account_id, wanted.event, wanted.channel) end as choice
    from wanted
  ), judged as (
    select chosen.*,
      case
        when chosen.channel = 'in_app' then 'in_inbox'
        when not coalesce(chosen.choice, true) and not app_private.is_essential(chosen.event) then 'switched_off'
        when chosen.address is null then 'no_address'
        when undeliverable.address_hash is not null then 'undeliverable_address'
      end as outcome
    from chosen
    left join app_private.undeliverable_address as undeliverable
      on undeliverable.hospital_id = plan_deliveries.hospital_id and undeliverable.channel = chosen.channel
      and undeliverable.address_hash = app_private.hash_address(plan_deliveries.hospital_id, chosen.channel, chosen.address)
    where chosen.is_given or chosen.choice
  ), planned as (
    insert into app_public.notification_delivery (
      hospital_id, notification_id, patient_id, doctor_id, account_id, channel, status, next_attempt_at,
      outcome, address, planned_at, ended_at)
    select plan_deliveries.hospital_id, judged.id, judged.patient_id, judged.doctor_id, judged.account_id, judged.channel,
      case when judged.outcome is null then 'pending' when judged.outcome = 'in_inbox' then 'sent' else 'skipped'
      end::app_public.delivery_status,
      case when judged.outcome is null then judged.send_at end,
      judged.outcome,
      app_private.mask_address(judged.address),
      instant,
      case when judged.outcome is not null then instant end
    from judged
    order by judged.id, judged.channel
    on conflict on constraint a_notification_goes_out_once_by_each_channel do nothing
    returning channel, next_attempt_at
  )
  select coalesce(array_agg(distinct planned.channel::text), '{}') into due
  from planned
  where planned.next_attempt_at <= instant;
  return due;
end
$$;

comment on function app_private.plan_deliveries(uuid, uuid[]) is
  'Plans the deliveries of notifications of a hospital that have none, and returns the channels with something to send now.';

revoke execute on function app_private.plan_deliveries(uuid, uuid[]) from public;
grant execute on function app_private.plan_deliveries(uuid, uuid[]) to app_worker;
