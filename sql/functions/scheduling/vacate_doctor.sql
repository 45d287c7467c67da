-- Cancels everything that a doctor has ahead, so that the doctor may become unavailable; the table's own
-- wall refuses that before. It runs as the owner for the cause of the cancellations and for the locks,
-- and repeats the walls that row-level security would be. The doctor's row is locked before any
-- appointment or slot, in the order of a hand that updates it.
create or replace function app_private.vacate_doctor(hospital_id uuid, doctor_id uuid, reason text)
returns app_public.calendar_change
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  affected app_public.affected_appointment[];
begin
  perform app_private.guard_tenant(actor, hospital_id);
  if actor = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.lock_calendar(hospital_id, doctor_id);
  perform from app_public.doctor
  where doctor.hospital_id = vacate_doctor.hospital_id and doctor.id = vacate_doctor.doctor_id
  for no key update;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;

  perform app_private.lock_affected(hospital_id, doctor_id, tstzrange(app_private.clock(), null));
  affected := app_private.upcoming_of_doctor(hospital_id, doctor_id, is_leaving => false);
  perform app_private.cancel_affected(
    hospital_id, affected, 'doctor_unavailable', coalesce(reason, 'Doctor unavailable'));
  return app_private.closing_change(0, affected, is_cancelling => true, is_telling => true);
end
$$;

comment on function app_private.vacate_doctor(uuid, uuid, text) is
  'Cancels all appointments and open requests that a doctor has ahead, and says which.';

revoke execute on function app_private.vacate_doctor(uuid, uuid, text) from public;
grant execute on function app_private.vacate_doctor(uuid, uuid, text) to app_doctor, app_receptionist, app_admin;
