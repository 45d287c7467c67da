-- The vital signs of a patient as a record shows them, newest first: the one place where readers of
-- records get them. Called by functions that run as the owner, and by the export, which leaves a trace.
create or replace function app_private.vitals_of(hospital_id uuid, patient_id uuid) returns jsonb
language plpgsql stable
as $$
begin
  return coalesce((
    select jsonb_agg(jsonb_strip_nulls(to_jsonb(entry) - array['hospital_id', 'patient_id'])
      order by entry.recorded_at desc, entry.id desc)
    from app_public.vitals_entry as entry
    where entry.hospital_id = vitals_of.hospital_id and entry.patient_id = vitals_of.patient_id), '[]');
end
$$;

comment on function app_private.vitals_of(uuid, uuid) is
  'Vital signs of a patient, newest first, as a list of objects.';

revoke execute on function app_private.vitals_of(uuid, uuid) from public;
