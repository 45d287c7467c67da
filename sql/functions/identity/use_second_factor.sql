-- Uses up a one-time code, by its step in time, or a recovery code. Compared and advanced in one guarded
-- update each: of two who use the same code at the same moment, one waits and then finds it used. Functions
-- that run as the owner call it.
create or replace function app_private.use_second_factor(
  hospital_id uuid, account_id uuid, step bigint, code_hash bytea)
returns boolean
language plpgsql volatile
as $$
begin
  if step is not null then
    update app_private.second_factor
    set last_used_step = step
    where second_factor.hospital_id = use_second_factor.hospital_id
      and second_factor.account_id = use_second_factor.account_id
      and second_factor.confirmed_at is not null and second_factor.last_used_step < step;
    return found;
  end if;
  update app_private.recovery_code
  set used_at = app_private.clock()
  where recovery_code.hospital_id = use_second_factor.hospital_id
    and recovery_code.account_id = use_second_factor.account_id
    and recovery_code.code_hash = use_second_factor.code_hash and recovery_code.used_at is null;
  if not found then
    return false;
  end if;
  perform app_private.record_security_event(
    use_second_factor.hospital_id, 'recovery_code_used', use_second_factor.account_id);
  return true;
end
$$;

comment on function app_private.use_second_factor(uuid, uuid, bigint, bytea) is
  'Uses up a one-time code by its step, or a recovery code by its hash; false when it was used before.';

revoke execute on function app_private.use_second_factor(uuid, uuid, bigint, bytea) from public;
