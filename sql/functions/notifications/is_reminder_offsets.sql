-- What the check of hospital.reminder_offsets asks, and what the mutation asks before. An offset is a span
-- of absolute time: a day is 24 hours, whatever the clocks do in between.
create or replace function app_private.is_reminder_offsets(offsets interval[]) returns boolean
language plpgsql immutable strict parallel safe
as $$
declare
  seconds numeric[];
begin
  select array_agg(extract(epoch from given)) into seconds from unnest(offsets) as given;
  return coalesce(array_ndims(offsets), 1) = 1
    and coalesce(cardinality(seconds), 0) between 1 and 5
    and array_position(seconds, null) is null
    and 300 <= all (seconds) and 2592000 >= all (seconds)
    and (select count(distinct second) from unnest(seconds) as second) = cardinality(seconds);
end
$$;

comment on function app_private.is_reminder_offsets(interval[]) is
  'Whether these are 1 to 5 distinct spans of 5 minutes to 30 days.';

revoke execute on function app_private.is_reminder_offsets(interval[]) from public;
grant execute on function app_private.is_reminder_offsets(interval[]) to app_admin;
