-- An emergency access is ended early, and reviewed, once each; who and when is written here. Nobody reviews
-- their own. Definer, because it writes events, which no role may.
create or replace function app_private.guard_emergency_access() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  actor_id uuid := app_private.claim_account_id();
begin
  if new.revoked_at is distinct from old.revoked_at then
    if old.revoked_at is not null or old.expires_at <= instant then
      perform app_private.refuse('emergency_access_over', jsonb_build_object('emergency_access_id', old.id));
    end if;
    new.revoked_at := instant;
    new.revoked_by := actor_id;
    perform app_private.record_security_event(
      new.hospital_id, 'emergency_access_revoked', new.account_id, jsonb_build_object('emergency_access_id', new.id));
  end if;
  if (new.verdict, new.review_note) is distinct from (old.verdict, old.review_note) then
    if actor_id = old.account_id then
      perform app_private.refuse('own_emergency_access');
    end if;
    if old.verdict is not null then
      perform app_private.refuse('emergency_access_reviewed', jsonb_build_object('emergency_access_id', old.id));
    end if;
    new.reviewed_at := instant;
    new.reviewed_by := actor_id;
    perform app_private.record_security_event(
      new.hospital_id, 'emergency_access_reviewed', new.account_id,
      jsonb_build_object('emergency_access_id', new.id, 'verdict', new.verdict));
  end if;
  return new;
end
$$;

comment on function app_private.guard_emergency_access() is
  'Trigger: judges the end and the review of an emergency access, and writes by whom and when.';

revoke execute on function app_private.guard_emergency_access() from public;

create or replace trigger emergency_access_change_is_guarded
  before update of revoked_at, verdict on app_public.emergency_access
  for each row execute function app_private.guard_emergency_access();
