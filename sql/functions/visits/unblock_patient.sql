-- Reception may, because it is reception that talks to the patient; the reason is kept with the block.
create or replace function app_public.unblock_patient(patient_id uuid, reason text)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.patient;
begin
  if length(btrim(coalesce(reason, ''))) = 0 or length(reason) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is not 1 to 2000 characters long'));
  end if;
  perform set_config('slotkeeper.unblock_reason', reason, true);
  update app_public.patient
  set status = 'active'
  where patient.hospital_id = hospital and patient.id = patient_id and patient.status = 'blocked'
  returning * into changed;
  perform set_config('slotkeeper.unblock_reason', '', true);
  if changed.id is not null then
    return changed;
  end if;
  if exists (select from app_public.patient where patient.hospital_id = hospital and patient.id = patient_id) then
    perform app_private.refuse('patient_is_not_blocked', jsonb_build_object('patient_id', patient_id));
  end if;
  perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  return null;
end
$$;

comment on function app_public.unblock_patient(uuid, text) is
  'Lets a blocked patient book again, with a reason. Visits missed before no longer count towards the next block. For receptionists and admins.';

revoke execute on function app_public.unblock_patient(uuid, text) from public;
grant execute on function app_public.unblock_patient(uuid, text) to app_receptionist, app_admin;
