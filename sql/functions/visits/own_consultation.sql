-- What a doctor gets back who has just written in a consultation: the consultation, which they know. Of
-- their writing the audit log tells; a reading that writes nothing goes through read_consultation.
create or replace function app_private.own_consultation(hospital_id uuid, consultation_id uuid)
returns app_public.consultation_record
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if not app_private.takes_part(hospital_id, consultation_id) then
    perform app_private.refuse('record_access_denied', jsonb_build_object('consultation_id', consultation_id));
  end if;
  return app_private.show_consultation(hospital_id, consultation_id);
end
$$;

comment on function app_private.own_consultation(uuid, uuid) is
  'A consultation, for a doctor who takes part in it and has just written.';

revoke execute on function app_private.own_consultation(uuid, uuid) from public;
grant execute on function app_private.own_consultation(uuid, uuid) to app_doctor;
