-- Takes what is due of one channel for sending, at most so many, and gives it a lease: who does not say
-- until then how it went is taken for dead, and somebody else sends it again under the same id. Those
-- who claim side by side skip what another one holds. On the way what is no news any more is left out,
-- what was tried too often is given up, and addresses are looked up anew: an address that changed since
-- it was planned is the one that counts, one that is gone or known to be dead gets nothing.
-- Leases last by the time that really passes, not by clock(): a clock that jumps ahead must not make those
-- who are sending look dead, or everything on its way would go out twice.
-- A call that returns nothing means that nothing is due. Definer, because no role may write deliveries
-- nor read the words of others.
create or replace function app_private.claim_deliveries(
  hospital_id uuid, channel app_public.delivery_channel, most integer default 50,
  lease_time interval default '5 minutes', most_attempts integer default 8)
returns setof app_private.claimed_delivery
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
  new_lease uuid := app_private.new_id();
  due uuid[];
  told uuid[];
  has_claimed boolean := false;
begin
  while not has_claimed loop
    select array_agg(candidate.id), array_agg(candidate.notification_id) into due, told
    from (
      select delivery.id, delivery.notification_id
      from app_public.notification_delivery as delivery
      where delivery.hospital_id = claim_deliveries.hospital_id and delivery.channel = claim_deliveries.channel
        and delivery.status in ('pending', 'sending')
        and coalesce(delivery.next_attempt_at, delivery.leased_until) <= greatest(instant, now())
        and case delivery.status when 'sending' then delivery.leased_until <= now() else delivery.next_attempt_at <= instant end
      order by coalesce(delivery.next_attempt_at, delivery.leased_until)
      limit most
      for no key update skip locked
    ) as candidate;
    if due is null then
      return;
    end if;

    with facts as materialized (
      select delivery.id, delivery.attempts, reader.address,
        case
          when app_private.is_too_late(notification.event, notification.created_at, appointment.starts_at, instant)
            then 'too_late'
          when delivery.attempts >= most_attempts then 'gave_up'
          when reader.address is null then 'no_address'
          when undeliverable.address_hash is not null then 'undeliverable_address'
        end as outcome
      from app_public.notification_delivery as delivery
      join app_public.notification
        on notification.hospital_id = claim_deliveries.hospital_id and notification.id = delivery.notification_id
      left join app_public.appointment
        on appointment.hospital_id = claim_deliveries.hospital_id and appointment.id = notification.appointment_id
      join (
        select known.notification_id,
          case claim_deliveries.channel when 'email' then known.email when 'sms' then known.phone else known.chat end as address
        from app_private.reachable_at(claim_deliveries.hospital_id, told) as known
      ) as reader on reader.notification_id = delivery.notification_id
      left join app_private.undeliverable_address as undeliverable
        on undeliverable.hospital_id = claim_deliveries.hospital_id
        and undeliverable.channel = claim_deliveries.channel
        and undeliverable.address_hash
          = app_private.hash_address(claim_deliveries.hospital_id, claim_deliveries.channel, reader.address)
      where delivery.hospital_id = claim_deliveries.hospital_id and delivery.id = any (due)
    )
    update app_public.notification_delivery as delivery
    set status = case when facts.outcome is null then 'sending' when facts.outcome = 'gave_up' then 'failed' else 'skipped'
        end::app_public.delivery_status,
      attempts = delivery.attempts + case when facts.outcome is null then 1 else 0 end,
      next_attempt_at = null,
      leased_until = case when facts.outcome is null then now() + lease_time end,
      lease = case when facts.outcome is null then new_lease end,
      outcome = facts.outcome,
      address = app_private.mask_address(facts.address),
      ended_at = case when facts.outcome is not null then instant end
    from facts
    where delivery.hospital_id = claim_deliveries.hospital_id and delivery.id = facts.id;

    return query
      select delivery.id, notification.id, delivery.lease, notification.event, notification.priority,
        case claim_deliveries.channel when 'email' then known.email when 'sms' then known.phone else known.chat end,
        notification.title, notification.body
      from app_public.notification_delivery as delivery
      join app_public.notification
        on notification.hospital_id = claim_deliveries.hospital_id and notification.id = delivery.notification_id
      join app_private.reachable_at(claim_deliveries.hospital_id, told) as known
        on known.notification_id = delivery.notification_id
      where delivery.hospital_id = claim_deliveries.hospital_id and delivery.id = any (due) and delivery.lease = new_lease
      order by (notification.priority = 'high') desc, delivery.id;
    has_claimed := found;
  end loop;
end
$$;

comment on function app_private.claim_deliveries(uuid, app_public.delivery_channel, integer, interval, integer) is
  'Takes the due deliveries of a channel of a hospital for sending, at most so many, until a lease ends.';

revoke execute on function app_private.claim_deliveries(uuid, app_public.delivery_channel, integer, interval, integer) from public;
grant execute on function app_private.claim_deliveries(uuid, app_public.delivery_channel, integer, interval, integer) to app_worker;
