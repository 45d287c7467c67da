-- Deletes the one row; who may, the table's trigger says. Definer, because no role may delete, nor see the
-- row that is to go.
create or replace function app_private.remove_from_consultation(hospital_id uuid, consultation_id uuid, doctor_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  delete from app_public.consultation_participant as member
  where member.hospital_id = remove_from_consultation.hospital_id
    and member.consultation_id = remove_from_consultation.consultation_id
    and member.doctor_id = remove_from_consultation.doctor_id;
  if not found then
    perform app_private.refuse('participant_not_found',
      jsonb_build_object('consultation_id', consultation_id, 'doctor_id', doctor_id));
  end if;
end
$$;

comment on function app_private.remove_from_consultation(uuid, uuid, uuid) is
  'Removes a doctor from a consultation.';

revoke execute on function app_private.remove_from_consultation(uuid, uuid, uuid) from public;
grant execute on function app_private.remove_from_consultation(uuid, uuid, uuid) to app_doctor;
