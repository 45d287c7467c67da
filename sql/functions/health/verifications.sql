-- What event-driven verification has measured between two hours: how many, and how many took how long. The
-- buckets are added up place by place. Where nothing measures yet there is nothing to tell, and that is no
-- error: the table is looked up when it is asked for.
create or replace function app_private.verifications(
  hospital_id uuid, starting timestamptz, ending timestamptz, out verified bigint, out buckets bigint[])
language plpgsql stable
as $$
begin
  if to_regclass('app_private.verification_hour') is null then
    return;
  end if;
  execute format($measured$
    select sum(counted.verified), (
      select array_agg(place.total order by place.number)
      from (
        select bucket.number, sum(bucket.size) as total
        from %1$s as measured
        cross join unnest(measured.buckets) with ordinality as bucket (size, number)
        where measured.hospital_id = $1 and measured.hour >= $2 and measured.hour < $3
        group by bucket.number) as place)
    from %1$s as counted
    where counted.hospital_id = $1 and counted.hour >= $2 and counted.hour < $3$measured$, to_regclass('app_private.verification_hour'))
  into verified, buckets using hospital_id, starting, ending;
end
$$;

comment on function app_private.verifications(uuid, timestamptz, timestamptz) is
  'How many appointments were verified in these hours, and how many of them took how long.';

revoke execute on function app_private.verifications(uuid, timestamptz, timestamptz) from public;
