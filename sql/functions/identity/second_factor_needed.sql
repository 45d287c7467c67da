-- What stands between a right password and a session: the second factor, where there is one; for an admin of
-- a hospital that requires one, its enrolment. The hospital is locked, shared: should it begin to require one
-- at this moment, the session that is about to begin is either seen there and ended, or needs it here.
create or replace function app_private.second_factor_needed(
  hospital_id uuid, account_id uuid, role app_public.account_role)
returns app_private.login_purpose
language plpgsql volatile
as $$
declare
  is_required boolean;
begin
  if exists (
    select from app_private.second_factor
    where second_factor.hospital_id = second_factor_needed.hospital_id
      and second_factor.account_id = second_factor_needed.account_id and second_factor.confirmed_at is not null)
  then
    return 'second_factor'::app_private.login_purpose;
  end if;
  if role <> 'admin' then
    return null;
  end if;
  select hospital.is_second_factor_required into is_required
  from app_public.hospital
  where hospital.id = second_factor_needed.hospital_id
  for share;
  return case when is_required then 'enrolment'::app_private.login_purpose end;
end
$$;

comment on function app_private.second_factor_needed(uuid, uuid, app_public.account_role) is
  'What an account must still show after its password; null for nothing.';

revoke execute on function app_private.second_factor_needed(uuid, uuid, app_public.account_role) from public;
