-- Where people are to be told of something now, by one look by index a hospital: an alert that they were
-- not told of, a message whose time has come, a digest whose four hours are over. The machinery has no
-- digest of its own; each hospital's tells of it. Definer, because the worker may not read messages.
create or replace function app_private.health_news()
returns table (hospital_id uuid, has_alerts boolean, is_digest_due boolean)
language plpgsql stable security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return query
    select place.id, news.has_alerts, news.is_digest_due
    from (
      select hospital.id, hospital.health_alert_quiet_period as quiet from app_public.hospital
      union all
      select app_private.machinery(), app_private.quiet_period(app_private.machinery())
    ) as place
    cross join lateral (
      select
        exists (
          select from app_public.health_alert as alert
          where alert.hospital_id = place.id
            and alert.status = 'active'
            and (alert.told_at is null or alert.told_at < alert.last_raised_at)
            and coalesce(alert.told_at <= instant - place.quiet, true))
        or exists (
          select from app_private.health_alert_delivery as delivery
          where delivery.hospital_id = place.id
            and delivery.status in ('pending', 'sending')
            and coalesce(delivery.next_attempt_at, delivery.leased_until) <= greatest(instant, now())
            and case delivery.status when 'sending' then delivery.leased_until <= now() else delivery.next_attempt_at <= instant end
        ) as has_alerts,
        place.id <> app_private.machinery() and not exists (
          select from app_private.health_digest_mark as mark
          where mark.hospital_id = place.id and mark.reached_at > instant - interval '4 hours'
        ) as is_digest_due
    ) as news
    where news.has_alerts or news.is_digest_due;
end
$$;

comment on function app_private.health_news() is
  'The hospitals, and the machinery, where people are to be told of health alerts, or where a digest is due.';

revoke execute on function app_private.health_news() from public;
grant execute on function app_private.health_news() to app_worker;
