-- The state machine: a change of state is allowed if appointment_transition lists it, for those it
-- lists. Unlisted is illegal for everybody; listed for others is forbidden for this one.
create or replace function app_private.guard_transition(
  actor text, from_status app_public.appointment_status, to_status app_public.appointment_status)
returns void
language plpgsql stable
as $$
declare
  allowed text[];
begin
  select appointment_transition.roles into allowed
  from app_public.appointment_transition
  where appointment_transition.from_status is not distinct from guard_transition.from_status
    and appointment_transition.to_status = guard_transition.to_status;

  if allowed is null then
    perform app_private.refuse('illegal_transition',
      jsonb_build_object('from', coalesce(from_status::text, 'new'), 'to', to_status));
  elsif actor <> 'operator' and not actor = any (allowed) then
    perform app_private.refuse('forbidden',
      jsonb_build_object('from', coalesce(from_status::text, 'new'), 'to', to_status));
  end if;
end
$$;

comment on function app_private.guard_transition(text, app_public.appointment_status, app_public.appointment_status) is
  'Refuses a change of state that the state machine does not list, or not for this actor.';

revoke execute on function app_private.guard_transition(text, app_public.appointment_status, app_public.appointment_status) from public;
