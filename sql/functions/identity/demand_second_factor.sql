-- When a hospital begins to require a second factor, admins without one lose their sessions and enrol at their
-- next login. Who demands it has one, so that nobody shuts everybody out, themselves included. Definer, because
-- no role may read second factors or write sessions.
create or replace function app_private.demand_second_factor() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor_id uuid := app_private.claim_account_id();
begin
  if actor_id is not null and not exists (
    select from app_private.second_factor
    where second_factor.hospital_id = new.id and second_factor.account_id = actor_id
      and second_factor.confirmed_at is not null)
  then
    perform app_private.refuse('second_factor_not_found');
  end if;
  perform app_private.end_sessions(account.hospital_id, account.id, 'second_factor_required')
  from app_public.account
  where account.hospital_id = new.id and account.role = 'admin' and not exists (
    select from app_private.second_factor
    where second_factor.hospital_id = new.id and second_factor.account_id = account.id
      and second_factor.confirmed_at is not null);
  perform app_private.record_security_event(new.id, 'second_factor_demanded', actor_id);
  return null;
end
$$;

comment on function app_private.demand_second_factor() is
  'Trigger: ends the sessions of admins without a second factor when the hospital begins to require one.';

revoke execute on function app_private.demand_second_factor() from public;

create or replace trigger second_factor_is_demanded
  after update of is_second_factor_required on app_public.hospital
  for each row when (new.is_second_factor_required and not old.is_second_factor_required)
  execute function app_private.demand_second_factor();
