-- What has a deadline is answered before it and expires after, never the other way round: a hold at
-- held_until, a request when its time has come.
create or replace function app_private.guard_deadline(
  waiting app_public.appointment, to_status app_public.appointment_status, instant timestamptz)
returns void
language plpgsql stable
as $$
declare
  deadline timestamptz := case waiting.status
    when 'held' then waiting.held_until
    when 'requested' then lower(waiting.during) end;
begin
  if to_status = 'expired' and deadline > instant then
    perform app_private.refuse('illegal_transition',
      jsonb_build_object('from', waiting.status, 'to', to_status, 'until', deadline));
  elsif to_status = 'scheduled' and waiting.status = 'held' and deadline <= instant then
    perform app_private.refuse('hold_expired', jsonb_build_object('held_until', deadline));
  end if;
end
$$;

comment on function app_private.guard_deadline(app_public.appointment, app_public.appointment_status, timestamptz) is
  'Refuses to confirm a lapsed hold, and to expire a hold or a request before its time.';

revoke execute on function app_private.guard_deadline(app_public.appointment, app_public.appointment_status, timestamptz) from public;
