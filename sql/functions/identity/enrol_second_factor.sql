-- Keeps a new secret until a code of it has been shown; it counts for nothing before. For staff. A second
-- factor that counts is never replaced: it has to be disabled first. Definer, because no role may write
-- secrets.
create or replace function app_private.enrol_second_factor(hospital_id uuid, account_id uuid, sealed_secret text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform from app_public.account
  where account.hospital_id = enrol_second_factor.hospital_id and account.id = enrol_second_factor.account_id
    and account.is_active and account.role <> 'patient'
  for no key update;
  if not found then
    perform app_private.refuse('forbidden');
  end if;
  insert into app_private.second_factor (hospital_id, account_id, sealed_secret)
  values (enrol_second_factor.hospital_id, enrol_second_factor.account_id, enrol_second_factor.sealed_secret)
  on conflict on constraint second_factor_pkey do update
  set sealed_secret = excluded.sealed_secret, last_used_step = 0, created_at = excluded.created_at
  where second_factor.hospital_id = enrol_second_factor.hospital_id and second_factor.confirmed_at is null;
  if not found then
    perform app_private.refuse('second_factor_exists');
  end if;
end
$$;

comment on function app_private.enrol_second_factor(uuid, uuid, text) is
  'Keeps the sealed secret of a second factor that is not confirmed yet.';

revoke execute on function app_private.enrol_second_factor(uuid, uuid, text) from public;
grant execute on function app_private.enrol_second_factor(uuid, uuid, text) to app_login;
