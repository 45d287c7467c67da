-- Whether this account made this very series before. The lock of the key is that of every other request
-- (replayed_appointment takes it, and refuses a key that was used for something else).
create or replace function app_private.replayed_series(idempotency_key uuid, fingerprint text)
returns app_public.appointment_series
language plpgsql
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  account uuid := app_private.claim_account_id();
  earlier app_public.appointment_series;
begin
  perform app_private.replayed_appointment(idempotency_key, fingerprint);
  select * into earlier
  from app_public.appointment_series
  where appointment_series.hospital_id = hospital
    and appointment_series.idempotency_key = replayed_series.idempotency_key
    and appointment_series.created_by is not distinct from account;
  if earlier.request_fingerprint is distinct from fingerprint and earlier.id is not null then
    perform app_private.refuse('idempotency_key_reused', jsonb_build_object('idempotency_key', idempotency_key));
  end if;
  return earlier;
end
$$;

comment on function app_private.replayed_series(uuid, text) is
  'The series of an earlier request with the same key by the same account, or null; refuses another request under the same key.';

revoke execute on function app_private.replayed_series(uuid, text) from public;
grant execute on function app_private.replayed_series(uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
