-- Lets the requests expire that nobody answered before their time came. It acts as the worker, because it
-- is the system that does it, and runs as the owner, because locking needs rights that the worker lacks.
-- What somebody is just answering is skipped: an acceptance of a passed time is refused anyway, and the
-- next sweep finds what a refusal has left; as it waits for nobody, it needs no order. Cost follows what
-- is due (appointment_requested).
create or replace function app_private.expire_lapsed_requests(hospital_id uuid) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  lapsed uuid[];
  expired integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select array_agg(request.id) into lapsed
  from (
    select appointment.id
    from app_public.appointment
    where appointment.hospital_id = expire_lapsed_requests.hospital_id
      and appointment.status = 'requested'
      and appointment.starts_at <= app_private.clock()
    for no key update skip locked
  ) as request;
  if lapsed is null then
    return 0;
  end if;

  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  update app_public.appointment
  set status = 'expired'
  where appointment.hospital_id = expire_lapsed_requests.hospital_id and appointment.id = any (lapsed);
  get diagnostics expired = row_count;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return expired;
end
$$;

comment on function app_private.expire_lapsed_requests(uuid) is
  'Expires the requests of a hospital whose time has come without an answer; returns how many.';

revoke execute on function app_private.expire_lapsed_requests(uuid) from public;
grant execute on function app_private.expire_lapsed_requests(uuid) to app_worker;
