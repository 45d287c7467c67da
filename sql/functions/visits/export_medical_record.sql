-- The medical part of what export_patient gives a person: consultations, with the doctors' working notes,
-- vital signs, and who has opened the record. The admin who exports it could read it, so the export leaves a
-- trace like every other reading. Definer, because admins may not read consultations.
create or replace function app_private.export_medical_record(hospital_id uuid, patient_id uuid) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  exported jsonb;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  perform app_private.leave_trace(hospital_id, patient_id, 'export', 'export for the person');
  select jsonb_build_object(
    'vitals', app_private.vitals_of(export_medical_record.hospital_id, export_medical_record.patient_id),
    'consultations', (
      select coalesce(jsonb_agg(
        to_jsonb(app_private.show_consultation(export_medical_record.hospital_id, consultation.id))
        order by consultation.started_at, consultation.id), '[]')
      from app_public.consultation
      where consultation.hospital_id = export_medical_record.hospital_id
        and consultation.patient_id = export_medical_record.patient_id),
    'record_accesses', (
      select coalesce(jsonb_agg(to_jsonb(access) - 'request_id' order by access.id), '[]')
      from app_public.record_access as access
      where access.hospital_id = export_medical_record.hospital_id
        and access.patient_id = export_medical_record.patient_id))
  into exported;
  return exported;
end
$$;

comment on function app_private.export_medical_record(uuid, uuid) is
  'Consultations, vital signs and readings of a patient, for the person; leaves a trace.';

revoke execute on function app_private.export_medical_record(uuid, uuid) from public;
grant execute on function app_private.export_medical_record(uuid, uuid) to app_admin;
