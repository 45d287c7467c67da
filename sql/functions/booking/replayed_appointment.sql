-- Whether this account made this very request before: its appointment then, as it is now, or null.
-- The advisory lock makes two copies of one request come in turn, so that the second finds what the
-- first did; it is taken before every other lock and there is one a transaction.
create or replace function app_private.replayed_appointment(idempotency_key uuid, fingerprint text)
returns app_public.appointment
language plpgsql
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  account uuid := app_private.claim_account_id();
  earlier record;
  replayed app_public.appointment;
begin
  if idempotency_key is null then
    perform app_private.refuse('idempotency_key_required');
  end if;
  perform pg_advisory_xact_lock(hashtextextended(concat(account, idempotency_key), 0));

  select appointment.id as appointment_id, appointment.request_fingerprint into earlier
  from app_public.appointment
  where appointment.hospital_id = hospital
    and appointment.idempotency_key = replayed_appointment.idempotency_key
    and appointment.created_by is not distinct from account;
  if not found then
    select appointment_move.appointment_id, appointment_move.request_fingerprint into earlier
    from app_public.appointment_move
    where appointment_move.hospital_id = hospital
      and appointment_move.idempotency_key = replayed_appointment.idempotency_key
      and appointment_move.moved_by is not distinct from account;
  end if;
  if not found then
    return null;
  end if;

  if earlier.request_fingerprint is distinct from fingerprint then
    perform app_private.refuse('idempotency_key_reused', jsonb_build_object('idempotency_key', idempotency_key));
  end if;
  select * into replayed
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = earlier.appointment_id;
  return replayed;
end
$$;

comment on function app_private.replayed_appointment(uuid, text) is
  'The appointment of an earlier request with the same key by the same account, or null; refuses another request under the same key.';

revoke execute on function app_private.replayed_appointment(uuid, text) from public;
grant execute on function app_private.replayed_appointment(uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
