-- The buckets end at ever twice as many milliseconds: a quarter, a half, one, two, and so on; the last has
-- the rest, and what lies in it is told as its beginning, which it is at least. Within a bucket the
-- measurements are taken to lie evenly.
create or replace function app_private.percentile_of_buckets(buckets bigint[], share numeric) returns numeric
language plpgsql immutable parallel safe
as $$
declare
  total numeric := (select sum(size) from unnest(buckets) as size);
  before numeric := 0;
  lower_end numeric;
begin
  if coalesce(total, 0) = 0 then
    return null;
  end if;
  for number in 1 .. cardinality(buckets) loop
    if before + buckets[number] >= share * total and buckets[number] > 0 then
      lower_end := case when number = 1 then 0 else power(2::numeric, number - 4) end;
      if number = cardinality(buckets) then
        return round(lower_end, 2);
      end if;
      return round(lower_end
        + (power(2::numeric, number - 3) - lower_end) * (share * total - before) / buckets[number], 2);
    end if;
    before := before + buckets[number];
  end loop;
  return null;
end
$$;

comment on function app_private.percentile_of_buckets(bigint[], numeric) is
  'The milliseconds that this share of the measurements stays within, by their buckets; null without any.';

revoke execute on function app_private.percentile_of_buckets(bigint[], numeric) from public;
