-- A holiday ends by being cancelled, once and for good. The row is locked by the update before the
-- calendar is; nobody waits for a holiday while holding a calendar, so the two never wait in a circle.
create or replace function app_private.end_holiday() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if not old.is_active then
    perform app_private.refuse('holiday_is_cancelled', jsonb_build_object('holiday_id', old.id));
  end if;
  if not new.is_active then
    perform app_private.lock_calendar(old.hospital_id);
  end if;
  return new;
end
$$;

comment on function app_private.end_holiday() is 'Trigger: lets a holiday be cancelled once.';

revoke execute on function app_private.end_holiday() from public;

create or replace trigger holiday_ends_for_good
  before update of is_active on app_public.holiday
  for each row execute function app_private.end_holiday();
