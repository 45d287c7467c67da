-- Who is told of what happened to an appointment: the one whom it concerns and who did not do it. What
-- an import brings was agreed on elsewhere, and a choice that was only held is nobody's news.
create or replace function app_private.tell_of_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  by_patient boolean := app_private.actor_role() = 'patient';
  reason jsonb := jsonb_build_object('reason', coalesce(new.cancellation_reason, ''));
begin
  if tg_op = 'INSERT' then
    if new.status = 'scheduled' and new.source <> 'import' then
      perform app_private.notify_of_appointment('appointment_booked', 'patient', new);
    elsif new.status = 'requested' then
      perform app_private.notify_of_appointment('request_received', 'doctor', new,
        jsonb_build_object('reason', coalesce(new.reason, '')));
    end if;
    return null;
  end if;

  if new.status = old.status then
    if by_patient then
      perform app_private.notify_of_appointment('appointment_moved', 'doctor', new);
    else
      perform app_private.notify_of_appointment('appointment_moved', 'patient', new);
    end if;
  elsif new.status = 'scheduled' then
    perform app_private.notify_of_appointment(
      case old.status when 'requested' then 'request_accepted' else 'appointment_booked' end, 'patient', new);
  elsif new.status = 'held' then
    perform app_private.notify_of_appointment('time_proposed', 'patient', new,
      app_private.deadline_of_hold(new)
        || jsonb_build_object('message', coalesce(current_setting('slotkeeper.message', true), '')));
  elsif new.status = 'cancelled' and new.cancellation_cause in ('doctor_emergency', 'doctor_unavailable') then
    perform app_private.notify_of_appointment(new.cancellation_cause::text, 'patient', new);
  elsif new.status = 'cancelled' and new.cancellation_cause = 'declined' then
    perform app_private.notify_of_appointment('request_declined', 'patient', new, reason);
  elsif new.status = 'cancelled' and old.status <> 'held' then
    perform app_private.notify_of_appointment(
      'appointment_cancelled', case when by_patient then 'doctor' else 'patient' end, new, reason);
  elsif new.status = 'expired' and old.status = 'requested' then
    perform app_private.notify_of_appointment('request_expired', 'patient', new);
  end if;
  return null;
end
$$;

comment on function app_private.tell_of_appointment() is
  'Trigger: leaves notifications for those whom a new or changed appointment concerns.';

revoke execute on function app_private.tell_of_appointment() from public;

create or replace trigger new_appointment_is_told
  after insert on app_public.appointment
  for each row when (new.status in ('scheduled', 'requested'))
  execute function app_private.tell_of_appointment();

create or replace trigger appointment_is_told
  after update of status, slot_id on app_public.appointment
  for each row when (
    new.status in ('scheduled', 'held', 'cancelled', 'expired') and new.status <> old.status
    or new.slot_id is distinct from old.slot_id)
  execute function app_private.tell_of_appointment();
