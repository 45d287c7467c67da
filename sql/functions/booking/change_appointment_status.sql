-- Every change of state, for every client. It fires whenever a statement names the status, even with
-- the value that the row already has: cancelling what is cancelled is refused, not ignored.
-- What the new state needs (times, who cancelled and why) is written here, from the claims and the
-- clock. A request that gets a slot keeps its own time when it is accepted, and takes the slot's when
-- another time is proposed.
create or replace function app_private.change_appointment_status() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  perform app_private.guard_undo(actor, old);
  perform app_private.guard_transition(actor, old.status, new.status);
  perform app_private.guard_deadline(old, new.status, instant);
  perform app_private.guard_visit_day(actor, old, new.status, instant);
  if new.status = 'no_show' then
    perform app_private.guard_no_show(actor, old, instant);
  end if;

  new.updated_at := instant;
  new.held_until := case when new.status = 'held' then old.held_until end;
  new.checked_in_at := case when new.status = 'checked_in' and old.status <> 'in_progress' then instant else old.checked_in_at end;
  new.completed_at := case when new.status = 'completed' then instant end;
  new.cancelled_at := case when new.status = 'cancelled' then instant end;
  new.cancelled_by := case when new.status = 'cancelled' then app_private.claim_account_id() end;
  new.cancellation_cause := case when new.status = 'cancelled' then
    coalesce(new.cancellation_cause, app_private.cancellation_cause(actor, old.status)) end;

  if (old.holds_seat or old.status = 'no_show')
    and (new.slot_id, new.doctor_id, new.location_id, new.during)
      is distinct from (old.slot_id, old.doctor_id, old.location_id, old.during)
  then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', new.status));
  end if;
  if old.holds_seat and not app_private.holds_seat(new.status) then
    perform app_private.leave_seats(old);
  elsif old.status = 'no_show' then
    perform app_private.return_to_seat(old);
  elsif not old.holds_seat and app_private.holds_seat(new.status) then
    new.doctor_id := null;
    new.location_id := null;
    new.during := case when new.status <> 'held' then old.during end;
    new := app_private.seat_appointment(new);
    if new.status = 'held' then
      new.held_until := app_private.held_until(new, is_offer => true);
    end if;
  end if;
  return new;
end
$$;

comment on function app_private.change_appointment_status() is
  'Trigger: lets an appointment change its state along the state machine, with its seats and its times.';

revoke execute on function app_private.change_appointment_status() from public;

create or replace trigger appointment_status_follows_the_state_machine
  before update of status on app_public.appointment
  for each row execute function app_private.change_appointment_status();
