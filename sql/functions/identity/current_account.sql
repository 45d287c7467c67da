create or replace function app_public.current_account() returns app_public.account
language plpgsql stable
as $$
declare
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = app_private.request_hospital_id() and account.id = app_private.claim_account_id();
  return present;
end
$$;

comment on function app_public.current_account() is 'The account that is logged in.';

revoke execute on function app_public.current_account() from public;
grant execute on function app_public.current_account()
  to app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
