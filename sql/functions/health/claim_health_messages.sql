-- Takes what is due of a hospital for sending and gives it a lease: who does not say until then how it
-- went is taken for dead, and somebody else sends it again under the same id. Those who claim side by side
-- skip what another one holds. What was tried too often, or is a day old, is given up on the way. Leases
-- last by the time that really passes, not by clock(). Definer, because no role may write messages.
create or replace function app_private.claim_health_messages(
  hospital_id uuid, most integer default 20, lease_time interval default '5 minutes', most_attempts integer default 8)
returns setof app_private.health_alert_delivery
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
  new_lease uuid := app_private.new_id();
begin
  update app_private.health_alert_delivery as delivery
  set status = 'failed',
      outcome = case when delivery.attempts >= most_attempts then 'gave_up' else 'too_late' end,
      next_attempt_at = null,
      leased_until = null,
      lease = null,
      ended_at = instant
  where delivery.hospital_id = claim_health_messages.hospital_id
    and delivery.status in ('pending', 'sending')
    and (delivery.attempts >= most_attempts or delivery.planned_at < instant - interval '24 hours')
    and (delivery.status = 'pending' or delivery.leased_until <= now());

  return query
    with due as materialized (
      select candidate.id
      from app_private.health_alert_delivery as candidate
      where candidate.hospital_id = claim_health_messages.hospital_id
        and candidate.status in ('pending', 'sending')
        and coalesce(candidate.next_attempt_at, candidate.leased_until) <= greatest(instant, now())
        and case candidate.status when 'sending' then candidate.leased_until <= now() else candidate.next_attempt_at <= instant end
      order by coalesce(candidate.next_attempt_at, candidate.leased_until)
      limit most
      for no key update skip locked
    )
    update app_private.health_alert_delivery as delivery
    set status = 'sending',
        attempts = delivery.attempts + 1,
        next_attempt_at = null,
        leased_until = now() + lease_time,
        lease = new_lease
    from due
    where delivery.hospital_id = claim_health_messages.hospital_id and delivery.id = due.id
    returning delivery.*;
end
$$;

comment on function app_private.claim_health_messages(uuid, integer, interval, integer) is
  'Takes the due messages about health alerts of a hospital for sending, at most so many, until a lease ends.';

revoke execute on function app_private.claim_health_messages(uuid, integer, interval, integer) from public;
grant execute on function app_private.claim_health_messages(uuid, integer, interval, integer) to app_worker;
