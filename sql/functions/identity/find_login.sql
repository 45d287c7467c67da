-- What is needed to check the password of somebody who is logged in and wants to change how they log in.
-- Definer, because no role may read account_secret.
create or replace function app_private.find_login(hospital_id uuid, account_id uuid)
returns table (
  hospital text, email text, name text, role app_public.account_role, password_hash text, is_locked boolean)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select hospital.slug, account.email, account.display_name, account.role, account_secret.password_hash,
      coalesce(account_secret.locked_until > app_private.clock(), false)
    from app_public.account
    join app_public.hospital on hospital.id = find_login.hospital_id
    join app_private.account_secret
      on account_secret.hospital_id = find_login.hospital_id and account_secret.account_id = account.id
    where account.hospital_id = find_login.hospital_id and account.id = find_login.account_id and account.is_active;
end
$$;

comment on function app_private.find_login(uuid, uuid) is
  'Password hash and lock of an active account by its id; no row where there is none.';

revoke execute on function app_private.find_login(uuid, uuid) from public;
grant execute on function app_private.find_login(uuid, uuid) to app_login;
