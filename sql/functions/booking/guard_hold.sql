-- A hold is confirmed before it lapses and expires after, never the other way round.
create or replace function app_private.guard_hold(
  held app_public.appointment, to_status app_public.appointment_status, instant timestamptz)
returns void
language plpgsql stable
as $$
begin
  if held.status <> 'held' then
    return;
  end if;
  if to_status = 'scheduled' and held.held_until <= instant then
    perform app_private.refuse('hold_expired', jsonb_build_object('held_until', held.held_until));
  elsif to_status = 'expired' and held.held_until > instant then
    perform app_private.refuse('illegal_transition',
      jsonb_build_object('from', held.status, 'to', to_status, 'held_until', held.held_until));
  end if;
end
$$;

comment on function app_private.guard_hold(app_public.appointment, app_public.appointment_status, timestamptz) is
  'Refuses to confirm a lapsed hold, and to expire one that has not lapsed.';

revoke execute on function app_private.guard_hold(app_public.appointment, app_public.appointment_status, timestamptz) from public;
