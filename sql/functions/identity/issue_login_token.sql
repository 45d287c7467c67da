-- A new single-use token, in the form of refresh tokens: the hospital and 256 bits. They are the SHA-256 of
-- three random uuids, which have 122 random bits each from the system's own generator (pg_strong_random), so
-- no guess is easier than one of 256 bits. Only its hash is stored, and with that much chance in it, it needs
-- no salt and no slow hash. Earlier tokens of the same purpose and owner die: only the last link is good.
-- Functions that run as the owner call it, and put the token into a mail or the answer to its owner.
create or replace function app_private.issue_login_token(
  hospital_id uuid, purpose app_private.login_purpose, lifetime interval, account_id uuid default null,
  invitation_id uuid default null)
returns text
language plpgsql volatile
as $$
declare
  token text;
begin
  token := translate(rtrim(encode(uuid_send(hospital_id), 'base64'), '='), '+/', '-_') || '.' ||
    translate(rtrim(encode(
      sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
      'base64'), '='), '+/', '-_');
  delete from app_private.login_token
  where login_token.hospital_id = issue_login_token.hospital_id
    and login_token.purpose = issue_login_token.purpose
    and (login_token.account_id = issue_login_token.account_id
      or login_token.invitation_id = issue_login_token.invitation_id);
  insert into app_private.login_token (hospital_id, token_hash, purpose, account_id, invitation_id, expires_at)
  values (
    issue_login_token.hospital_id, sha256(convert_to(token, 'UTF8')), issue_login_token.purpose,
    issue_login_token.account_id, issue_login_token.invitation_id, app_private.clock() + lifetime);
  return token;
end
$$;

comment on function app_private.issue_login_token(uuid, app_private.login_purpose, interval, uuid, uuid) is
  'Stores the hash of a new single-use token and returns the token; earlier ones of this purpose and owner are void.';

revoke execute on function app_private.issue_login_token(uuid, app_private.login_purpose, interval, uuid, uuid) from public;
