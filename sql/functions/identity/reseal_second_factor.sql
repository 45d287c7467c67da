-- The same secret, sealed with the present key: when a code was right. Compared with what was opened, so that
-- a new enrolment is never overwritten. Definer, because no role may write secrets.
create or replace function app_private.reseal_second_factor(
  hospital_id uuid, account_id uuid, known_secret text, sealed_secret text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  update app_private.second_factor
  set sealed_secret = reseal_second_factor.sealed_secret
  where second_factor.hospital_id = reseal_second_factor.hospital_id
    and second_factor.account_id = reseal_second_factor.account_id
    and second_factor.sealed_secret = known_secret;
end
$$;

comment on function app_private.reseal_second_factor(uuid, uuid, text, text) is
  'Puts a secret that is sealed with a new key in the place of what it was.';

revoke execute on function app_private.reseal_second_factor(uuid, uuid, text, text) from public;
grant execute on function app_private.reseal_second_factor(uuid, uuid, text, text) to app_login;
