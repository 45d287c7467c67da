-- Doctors book with themselves; row-level security says so too, but without a scenario.
create or replace function app_private.guard_own_slot(doctor_id uuid) returns void
language plpgsql stable
as $$
begin
  if app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
end
$$;

comment on function app_private.guard_own_slot(uuid) is 'Refuses a doctor who books with another doctor.';

revoke execute on function app_private.guard_own_slot(uuid) from public;
