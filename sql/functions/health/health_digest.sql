-- What a digest says of one hospital, or of the machinery: what is critical and open, what is new, what waits
-- for people. Null where nothing is new and nothing critical waits to be seen; what is merely still open is
-- one line, so that nobody learns to look away. Sentences of findings only.
create or replace function app_private.health_digest(hospital_id uuid, since timestamptz) returns text
language plpgsql stable
as $$
declare
  most constant integer := 10;
  alerts text;
  alert_count integer;
  news text;
  news_count integer;
  reviews text;
  review_count integer;
  has_new_review boolean;
  older integer;
begin
  select count(*), string_agg(format('- [%s] %s: %s%s', alert.severity, alert.title, alert.detail,
      case when alert.status = 'acknowledged' then ' (acknowledged)' else '' end), E'\n' order by alert.number)
      filter (where alert.number <= most)
  into alert_count, alerts
  from (
    select open_one.*, row_number() over (order by open_one.severity desc, open_one.id) as number
    from app_public.health_alert as open_one
    where open_one.hospital_id = health_digest.hospital_id and open_one.status <> 'resolved') as alert;

  select coalesce(sum(counted.size), 0), string_agg(format('- [%s] %s: %s%s', counted.severity, coalesce(entry.title, counted.check_name),
      counted.size, case when counted.gone > 0 then format(', of which %s are gone again', counted.gone) else '' end),
      E'\n' order by counted.severity desc, counted.check_name)
  into news_count, news
  from (
    select finding.check_name, max(finding.severity) as severity, count(*) as size,
      count(*) filter (where finding.resolved_at is not null) as gone
    from app_public.finding
    where finding.hospital_id = health_digest.hospital_id and finding.first_seen_at >= since
      and finding.severity > 'info' and finding.ignored_at is null
    group by finding.check_name) as counted
  left join app_public.health_check as entry on entry.name = counted.check_name;

  select count(*), coalesce(bool_or(item.created_at >= since), false),
    string_agg(format('- priority %s: %s', item.priority, item.detail), E'\n' order by item.number)
      filter (where item.number <= most)
  into review_count, has_new_review, reviews
  from (
    select waiting.*, row_number() over (order by waiting.priority, waiting.created_at, waiting.id) as number
    from app_public.review_item as waiting
    where waiting.hospital_id = health_digest.hospital_id and waiting.status in ('pending', 'in_review')) as item;

  if news_count = 0 and not has_new_review and not exists (
    select from app_public.health_alert as alert
    where alert.hospital_id = health_digest.hospital_id and alert.status = 'active')
  then
    return null;
  end if;
  select count(*) into older
  from app_public.finding
  where finding.hospital_id = health_digest.hospital_id and finding.resolved_at is null and finding.ignored_at is null
    and finding.first_seen_at < since;

  return concat_ws(E'\n\n',
    case when alert_count > 0 then format(E'Open alerts (%s)\n%s', alert_count, alerts)
      || case when alert_count > most then format(E'\nand %s more.', alert_count - most) else '' end end,
    case when news_count > 0 then format(E'Found since the last digest (%s)\n%s', news_count, news) end,
    case when review_count > 0 then format(E'Waiting for a review (%s)\n%s', review_count, reviews)
      || case when review_count > most then format(E'\nand %s more.', review_count - most) else '' end end,
    case when older > 0 then format('Older findings that are still open: %s', older) end);
end
$$;

comment on function app_private.health_digest(uuid, timestamptz) is
  'What people are told of the health of a hospital, or of the machinery, every few hours; null when there is nothing to tell.';

revoke execute on function app_private.health_digest(uuid, timestamptz) from public;
