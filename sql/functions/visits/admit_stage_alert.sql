-- Every alert begins as active, about an appointment of its hospital, whose patient and doctor it copies:
-- by the doctor row-level security tells whose alert it is, and who has arrived moves to nobody else.
create or replace function app_private.admit_stage_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  if new.status <> 'active' then
    perform app_private.refuse('illegal_alert_transition', jsonb_build_object('from', 'new', 'to', new.status));
  end if;
  select appointment.patient_id, appointment.doctor_id into new.patient_id, new.doctor_id
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id;
  if not found then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  new.raised_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_stage_alert() is
  'Trigger: lets an alert begin as active, with the patient and the doctor of its appointment.';

revoke execute on function app_private.admit_stage_alert() from public;

create or replace trigger stage_alert_is_admitted
  before insert on app_public.stage_alert
  for each row execute function app_private.admit_stage_alert();
