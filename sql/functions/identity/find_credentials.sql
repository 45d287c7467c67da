-- The only way to a password hash, and only for the login routes: definer, because no role may read
-- account_secret. An unknown hospital, an unknown address and an inactive account all look alike: no
-- row. A lock is told as a fact; the routes then spend the same time and give the same answer.
create or replace function app_private.find_credentials(hospital_slug text, email text)
returns table (hospital_id uuid, account_id uuid, password_hash text, is_locked boolean)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  hospital uuid;
begin
  select hospital.id into hospital from app_public.hospital where hospital.slug = hospital_slug;
  return query
    select account.hospital_id, account.id, account_secret.password_hash,
      coalesce(account_secret.locked_until > app_private.clock(), false)
    from app_public.account
    join app_private.account_secret
      on account_secret.hospital_id = hospital and account_secret.account_id = account.id
    where account.hospital_id = hospital and account.email = find_credentials.email and account.is_active;
end
$$;

comment on function app_private.find_credentials(text, text) is
  'Password hash and lock of an active account, by the hospital''s slug and the lower-case address; no row where there is none.';

revoke execute on function app_private.find_credentials(text, text) from public;
grant execute on function app_private.find_credentials(text, text) to app_login;
