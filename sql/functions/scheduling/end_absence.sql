-- An absence ends by being cancelled, once and for good. The row is locked by the update before the
-- calendar is; nobody waits for an absence while holding a calendar, so the two never wait in a circle.
create or replace function app_private.end_absence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if old.status = 'cancelled' then
    perform app_private.refuse('absence_is_cancelled', jsonb_build_object('absence_id', old.id));
  end if;
  if new.status = 'cancelled' then
    perform app_private.lock_calendar(old.hospital_id, old.doctor_id);
    new.cancelled_by := app_private.claim_account_id();
    new.cancelled_at := app_private.clock();
  end if;
  return new;
end
$$;

comment on function app_private.end_absence() is 'Trigger: lets an absence be cancelled once, with its time and its account.';

revoke execute on function app_private.end_absence() from public;

create or replace trigger absence_ends_for_good
  before update of status on app_public.absence
  for each row execute function app_private.end_absence();
