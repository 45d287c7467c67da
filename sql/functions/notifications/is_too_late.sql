-- What is told too late only confuses. About a visit that was ahead when it happened: once the visit has
-- begun. Everything else: a day after it happened. That a doctor cancels the visit is worth knowing
-- three days long, also for somebody who stood before a closed door.
create or replace function app_private.is_too_late(
  event text, told_at timestamptz, starts_at timestamptz, instant timestamptz)
returns boolean
language sql immutable parallel safe
return case
  when event in ('doctor_emergency', 'doctor_unavailable') then told_at < instant - interval '72 hours'
  else told_at < instant - interval '24 hours'
    or coalesce(starts_at > told_at and starts_at <= instant, false)
end;

comment on function app_private.is_too_late(text, timestamptz, timestamptz, timestamptz) is
  'Whether an event that was told at told_at, about a visit at starts_at, is no news any more.';

revoke execute on function app_private.is_too_late(text, timestamptz, timestamptz, timestamptz) from public;
