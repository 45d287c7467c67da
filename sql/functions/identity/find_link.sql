-- Whose a link is, while it is good: what a new password must not be made of. Asked before a password is
-- hashed, so that made-up links cost nothing. Definer, because no role may read tokens.
create or replace function app_private.find_link(
  hospital_id uuid, token_hash bytea, purpose app_private.login_purpose)
returns table (hospital text, email text, name text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select hospital.slug, coalesce(account.email, invitation.email),
      coalesce(account.display_name, invitation.display_name)
    from app_private.login_token
    join app_public.hospital on hospital.id = find_link.hospital_id
    left join app_public.account
      on account.hospital_id = find_link.hospital_id and account.id = login_token.account_id and account.is_active
    left join app_public.invitation
      on invitation.hospital_id = find_link.hospital_id and invitation.id = login_token.invitation_id
        and invitation.status = 'pending'
    where login_token.hospital_id = find_link.hospital_id and login_token.token_hash = find_link.token_hash
      and login_token.purpose = find_link.purpose and login_token.used_at is null
      and login_token.expires_at > app_private.clock()
      and coalesce(account.id, invitation.id) is not null;
end
$$;

comment on function app_private.find_link(uuid, bytea, app_private.login_purpose) is
  'Whom a link that is still good belongs to; no row for any other.';

revoke execute on function app_private.find_link(uuid, bytea, app_private.login_purpose) from public;
grant execute on function app_private.find_link(uuid, bytea, app_private.login_purpose) to app_login;
