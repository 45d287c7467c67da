-- Whose a challenge is, while it is good: unused, in time, and with fewer than five wrong codes. Definer,
-- because no role may read tokens.
create or replace function app_private.find_challenge(
  hospital_id uuid, token_hash bytea, purpose app_private.login_purpose)
returns uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  owner_id uuid;
begin
  select account.id into owner_id
  from app_private.login_token
  join app_public.account
    on account.hospital_id = find_challenge.hospital_id and account.id = login_token.account_id and account.is_active
  where login_token.hospital_id = find_challenge.hospital_id
    and login_token.token_hash = find_challenge.token_hash and login_token.purpose = find_challenge.purpose
    and login_token.used_at is null and login_token.failed_attempts < 5
    and login_token.expires_at > app_private.clock();
  return owner_id;
end
$$;

comment on function app_private.find_challenge(uuid, bytea, app_private.login_purpose) is
  'The account of a challenge that is still good; null for any other.';

revoke execute on function app_private.find_challenge(uuid, bytea, app_private.login_purpose) from public;
grant execute on function app_private.find_challenge(uuid, bytea, app_private.login_purpose) to app_login;
