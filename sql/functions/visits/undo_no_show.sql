-- Whoever seemed not to come and is still expected is expected again as before; whose time-out has gone by
-- must have been there unnoticed, and counts as arrived: expected again, the next sweep would find them
-- missing once more.
create or replace function app_public.undo_no_show(appointment_id uuid, reason text)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  standing app_public.no_show_log;
  undone app_public.appointment;
begin
  if length(btrim(coalesce(reason, ''))) = 0 or length(reason) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is not 1 to 2000 characters long'));
  end if;
  select * into standing
  from app_public.no_show_log
  where no_show_log.hospital_id = hospital
    and no_show_log.appointment_id = undo_no_show.appointment_id
    and no_show_log.undone_at is null;
  if standing.id is null then
    if not exists (
      select from app_public.appointment
      where appointment.hospital_id = hospital and appointment.id = undo_no_show.appointment_id)
    then
      perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
    end if;
    perform app_private.refuse('not_a_no_show', jsonb_build_object('appointment_id', appointment_id));
  end if;

  perform set_config('slotkeeper.undo_reason', reason, true);
  undone := app_private.transit_appointment(
    appointment_id,
    case
      when standing.slot_starts_at + make_interval(mins => standing.timeout_minutes) > app_private.clock()
      then standing.status_before
      else 'checked_in'
    end);
  perform set_config('slotkeeper.undo_reason', '', true);
  return undone;
end
$$;

comment on function app_public.undo_no_show(uuid, text) is
  'Takes back that a patient did not come: the visit gets its seat again (scheduled or confirmed as before while it can still begin, else checked_in), the count goes back, and a block that it caused is lifted. For admins.';

revoke execute on function app_public.undo_no_show(uuid, text) from public;
grant execute on function app_public.undo_no_show(uuid, text) to app_admin;
