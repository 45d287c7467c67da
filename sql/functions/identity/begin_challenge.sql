-- After a right password: what is still needed, with a token that is good for showing it and for nothing
-- else, five minutes long; no row where nothing is. Definer, because no role may write tokens.
create or replace function app_private.begin_challenge(hospital_id uuid, account_id uuid, password_hash text)
returns table (purpose app_private.login_purpose, challenge text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  needed app_private.login_purpose;
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = begin_challenge.hospital_id and account.id = begin_challenge.account_id
    and account.is_active
  for share;
  if not found or not exists (
    select from app_private.account_secret
    where account_secret.hospital_id = begin_challenge.hospital_id
      and account_secret.account_id = begin_challenge.account_id
      and account_secret.password_hash = begin_challenge.password_hash)
  then
    perform app_private.refuse('invalid_credentials');
  end if;
  needed := app_private.second_factor_needed(present.hospital_id, present.id, present.role);
  if needed is not null then
    return query
      select needed, app_private.issue_login_token(
        begin_challenge.hospital_id, needed, interval '5 minutes', account_id => present.id);
  end if;
end
$$;

comment on function app_private.begin_challenge(uuid, uuid, text) is
  'What an account must still show after its password, and the token to show it with; no row for nothing.';

revoke execute on function app_private.begin_challenge(uuid, uuid, text) from public;
grant execute on function app_private.begin_challenge(uuid, uuid, text) to app_login;
