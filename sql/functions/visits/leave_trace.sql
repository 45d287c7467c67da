-- One row a reading, in the transaction of the reading itself: who has not left a trace has not read.
-- Called by the functions that read, which run as the owner; no role may write the log.
create or replace function app_private.leave_trace(
  hospital_id uuid, patient_id uuid, part app_public.record_part, purpose text,
  consultation_id uuid default null, emergency_grant_id uuid default null)
returns uuid
language plpgsql volatile
as $$
declare
  access_id uuid := app_private.new_id();
  reader_id uuid := app_private.claim_account_id();
  reader_name text;
begin
  select account.display_name into reader_name
  from app_public.account
  where account.hospital_id = leave_trace.hospital_id and account.id = reader_id;
  insert into app_public.record_access (
    hospital_id, id, patient_id, account_id, reader_role, reader_name, part, consultation_id, purpose,
    emergency_grant_id, request_id, accessed_at)
  values (
    hospital_id, access_id, patient_id, reader_id, app_private.actor_role(),
    coalesce(reader_name, app_private.actor_role()), part, consultation_id, btrim(purpose), emergency_grant_id,
    app_private.claim_request_id(), app_private.clock());
  return access_id;
end
$$;

comment on function app_private.leave_trace(uuid, uuid, app_public.record_part, text, uuid, uuid) is
  'Writes down that the caller reads a medical record, and what for; returns the row''s id.';

revoke execute on function app_private.leave_trace(uuid, uuid, app_public.record_part, text, uuid, uuid) from public;
