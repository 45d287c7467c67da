-- A request works in the hospital of its claims and nowhere else; a request without claims works
-- nowhere. Jobs and operators carry no claim and are bound by row-level security or not at all.
create or replace function app_private.guard_tenant(actor text, hospital_id uuid)
returns void
language plpgsql stable
as $$
begin
  if actor not in ('worker', 'operator')
    and guard_tenant.hospital_id is distinct from app_private.claim_hospital_id()
  then
    perform app_private.refuse('forbidden');
  end if;
end
$$;

comment on function app_private.guard_tenant(text, uuid) is
  'Refuses a write into another hospital than that of the claims.';

revoke execute on function app_private.guard_tenant(text, uuid) from public;
