-- A consultation with its participants and addenda. It asks nobody who they are: the functions that call
-- it do, run as the owner, and no role may call it.
create or replace function app_private.show_consultation(hospital_id uuid, consultation_id uuid)
returns app_public.consultation_record
language plpgsql stable
as $$
declare
  shown app_public.consultation_record;
begin
  select consultation.id, consultation.appointment_id, consultation.patient_id, consultation.doctor_id,
    consultation.status, consultation.chief_complaint, consultation.diagnosis, consultation.notes,
    consultation.started_at, consultation.ended_at, consultation.abandon_reason,
    coalesce((
      select array_agg(
        row(member.doctor_id, doctor.display_name, member.role, member.added_at)::app_public.consultation_member
        order by member.role, member.added_at, member.id)
      from app_public.consultation_participant as member
      join app_public.doctor on doctor.hospital_id = show_consultation.hospital_id and doctor.id = member.doctor_id
      where member.hospital_id = show_consultation.hospital_id and member.consultation_id = consultation.id), '{}'),
    coalesce((
      select array_agg(
        row(addendum.text, doctor.display_name, addendum.added_at)::app_public.consultation_note
        order by addendum.added_at, addendum.id)
      from app_public.consultation_addendum as addendum
      left join app_public.doctor on doctor.hospital_id = show_consultation.hospital_id and doctor.id = addendum.doctor_id
      where addendum.hospital_id = show_consultation.hospital_id and addendum.consultation_id = consultation.id), '{}')
  into shown
  from app_public.consultation
  where consultation.hospital_id = show_consultation.hospital_id and consultation.id = show_consultation.consultation_id;
  return shown;
end
$$;

comment on function app_private.show_consultation(uuid, uuid) is 'A consultation with all that belongs to it.';

revoke execute on function app_private.show_consultation(uuid, uuid) from public;
