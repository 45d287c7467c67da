-- The one write of everybody who writes in a consultation: what `changes` names takes its value, all else
-- stays. Who may and what may be, the table's triggers say, as to every client; it runs as the owner only
-- because a doctor may not read the row that they change, and an update has to find it.
create or replace function app_private.change_consultation(hospital_id uuid, consultation_id uuid, changes jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  update app_public.consultation
  set chief_complaint = case when changes ? 'chief_complaint'
        then changes ->> 'chief_complaint' else consultation.chief_complaint end,
      diagnosis = case when changes ? 'diagnosis'
        then array(select jsonb_array_elements_text(changes -> 'diagnosis')) else consultation.diagnosis end,
      notes = case when changes ? 'notes' then changes ->> 'notes' else consultation.notes end,
      status = coalesce((changes ->> 'status')::app_public.consultation_status, consultation.status),
      abandon_reason = changes ->> 'abandon_reason'
  where consultation.hospital_id = change_consultation.hospital_id
    and consultation.id = change_consultation.consultation_id;
  if not found then
    perform app_private.refuse('consultation_not_found', jsonb_build_object('consultation_id', consultation_id));
  end if;
end
$$;

comment on function app_private.change_consultation(uuid, uuid, jsonb) is
  'Writes in a consultation what is named: chief_complaint, diagnosis, notes, status, abandon_reason.';

revoke execute on function app_private.change_consultation(uuid, uuid, jsonb) from public;
grant execute on function app_private.change_consultation(uuid, uuid, jsonb) to app_doctor;
