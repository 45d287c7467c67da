-- A patient who leaves expects nothing any more, whoever says so. The update has locked the patient's
-- row, as every booking and request does first: what was under way is finished, and counted; what
-- comes later finds the patient inactive.
create or replace function app_private.guard_patient_leave() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  upcoming integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  upcoming := cardinality(app_private.upcoming_of_patient(old.hospital_id, old.id));
  if upcoming > 0 then
    perform app_private.refuse('patient_has_appointments',
      jsonb_build_object('patient_id', old.id, 'appointment_count', upcoming));
  end if;
  return new;
end
$$;

comment on function app_private.guard_patient_leave() is
  'Trigger: refuses to let a patient leave while appointments are ahead.';

revoke execute on function app_private.guard_patient_leave() from public;

create or replace trigger patient_leaves_nothing_booked
  before update of is_active on app_public.patient
  for each row when (old.is_active and not new.is_active)
  execute function app_private.guard_patient_leave();
