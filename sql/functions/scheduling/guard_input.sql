-- One refusal with every field at fault: names of fields with what is wrong with them, null where
-- nothing is. The constraints of the tables say the same, one at a time.
create or replace function app_private.guard_input(faults jsonb) returns void
language plpgsql stable
as $$
begin
  if jsonb_strip_nulls(faults) <> '{}' then
    perform app_private.refuse('invalid_input', jsonb_strip_nulls(faults));
  end if;
end
$$;

comment on function app_private.guard_input(jsonb) is
  'Refuses input with all its faults: an object of fields with their faults, null where there is none.';

revoke execute on function app_private.guard_input(jsonb) from public;
grant execute on function app_private.guard_input(jsonb)
  to app_doctor, app_nurse, app_receptionist, app_admin;
