-- Where the readers of these notifications can be reached today: by what the patient has left, else by
-- the account. Doctors and staff have the address of their account; chat knows people by that address,
-- and patients are not in it. An account that is switched off reaches nobody.
create or replace function app_private.reachable_at(hospital_id uuid, notification_ids uuid[])
returns table (notification_id uuid, reader_account_id uuid, email text, phone text, chat text)
language plpgsql stable rows 100
as $$
begin
  return query
    select notification.id, account.id,
      case when notification.patient_id is not null then coalesce(patient.email, account.email) else account.email end,
      patient.phone,
      case when notification.patient_id is null then account.email end
    from app_public.notification
    left join app_public.patient
      on patient.hospital_id = reachable_at.hospital_id and patient.id = notification.patient_id
    left join lateral (
      select login.id, login.email
      from app_public.account as login
      where login.hospital_id = reachable_at.hospital_id and login.id = notification.account_id and login.is_active
      union all
      select login.id, login.email
      from app_public.account as login
      where login.hospital_id = reachable_at.hospital_id and login.doctor_id = notification.doctor_id and login.is_active
      union all
      select login.id, login.email
      from app_public.account as login
      where login.hospital_id = reachable_at.hospital_id and login.patient_id = notification.patient_id and login.is_active
    ) as account on true
    where notification.hospital_id = reachable_at.hospital_id and notification.id = any (notification_ids);
end
$$;

comment on function app_private.reachable_at(uuid, uuid[]) is
  'The account and the addresses of the readers of notifications; null where there is none.';

revoke execute on function app_private.reachable_at(uuid, uuid[]) from public;
