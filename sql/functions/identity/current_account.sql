create or replace function app_public.current_account() returns app_public.account
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_id uuid := app_private.claim_account_id();
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = hospital and account.id = own_id;
  return present;
end
$$;

comment on function app_public.current_account() is 'The account that is logged in.';

revoke execute on function app_public.current_account() from public;
grant execute on function app_public.current_account()
  to app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
