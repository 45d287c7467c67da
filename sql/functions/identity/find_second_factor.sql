-- The sealed secret of an account's codes, with the instant at which they are to be judged: the database's
-- clock, as everything. Definer, because no role may read secrets.
create or replace function app_private.find_second_factor(hospital_id uuid, account_id uuid)
returns table (sealed_secret text, is_confirmed boolean, instant timestamptz)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select second_factor.sealed_secret, second_factor.confirmed_at is not null, app_private.clock()
    from app_private.second_factor
    where second_factor.hospital_id = find_second_factor.hospital_id
      and second_factor.account_id = find_second_factor.account_id;
end
$$;

comment on function app_private.find_second_factor(uuid, uuid) is
  'The sealed secret of an account''s one-time codes, and the present instant.';

revoke execute on function app_private.find_second_factor(uuid, uuid) from public;
grant execute on function app_private.find_second_factor(uuid, uuid) to app_login;
