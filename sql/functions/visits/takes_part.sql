-- Whether the doctor of the request takes part in a consultation. Called by functions that run as the owner.
create or replace function app_private.takes_part(hospital_id uuid, consultation_id uuid) returns boolean
language plpgsql stable
as $$
declare
  asking uuid := app_private.claim_doctor_id();
begin
  return app_private.actor_role() = 'doctor' and exists (
    select from app_public.consultation_participant as member
    where member.hospital_id = takes_part.hospital_id
      and member.consultation_id = takes_part.consultation_id
      and member.doctor_id = asking);
end
$$;

comment on function app_private.takes_part(uuid, uuid) is
  'Whether the doctor of the request takes part in a consultation.';

revoke execute on function app_private.takes_part(uuid, uuid) from public;
