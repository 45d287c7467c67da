-- A wish names an instant; infinity is none, and a length cannot be added to it.
create or replace function app_private.guard_instant(field text, instant timestamptz) returns void
language plpgsql stable
as $$
begin
  if instant is null or not isfinite(instant)
    or instant not between '2000-01-01 00:00:00+00' and '2200-01-01 00:00:00+00'
  then
    perform app_private.refuse('invalid_input', jsonb_build_object(field, 'is not a time of this century or the next'));
  end if;
end
$$;

comment on function app_private.guard_instant(text, timestamptz) is 'Refuses a time that no visit can have.';

revoke execute on function app_private.guard_instant(text, timestamptz) from public;
grant execute on function app_private.guard_instant(text, timestamptz)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
