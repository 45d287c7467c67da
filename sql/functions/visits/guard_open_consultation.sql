-- A visit in progress does not end past its consultation: as long as one is open, the visit's state
-- changes with it and by nothing else. And nobody goes back to the waiting room but by the consultation
-- that was abandoned, whose trigger makes the change, though the state machine lists it. It fires before
-- the state machine, by its name, and leaves to it what a role may not or nobody may.
create or replace function app_private.guard_open_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  open_id uuid;
begin
  if new.status = 'checked_in' and pg_trigger_depth() = 1 then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', new.status));
  end if;
  if app_private.actor_role() not in ('doctor', 'operator') then
    return new;
  end if;
  select consultation.id into open_id
  from app_public.consultation
  where consultation.hospital_id = old.hospital_id
    and consultation.appointment_id = old.id
    and consultation.status in ('started', 'in_progress');
  if found then
    perform app_private.refuse('consultation_open',
      jsonb_build_object('appointment_id', old.id, 'consultation_id', open_id));
  end if;
  return new;
end
$$;

comment on function app_private.guard_open_consultation() is
  'Trigger: refuses to end a visit past its open consultation.';

revoke execute on function app_private.guard_open_consultation() from public;

create or replace trigger appointment_in_progress_ends_with_its_consultation
  before update of status on app_public.appointment
  for each row when (old.status = 'in_progress' and new.status in ('completed', 'checked_in'))
  execute function app_private.guard_open_consultation();
