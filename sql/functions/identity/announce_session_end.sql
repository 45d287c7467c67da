-- Whatever ends a session, the servers hear of it: by a row for the relay, in the same transaction.
-- Definer, because who ends a session may not write the outbox.
create or replace function app_private.announce_session_end() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (old.hospital_id, 'session', old.id::text, jsonb_build_object('session_ids', jsonb_build_array(old.id)));
  return null;
end
$$;

comment on function app_private.announce_session_end() is
  'Trigger: leaves a message in the outbox for a session that ended or was deleted while it was good.';

revoke execute on function app_private.announce_session_end() from public;

create or replace trigger session_end_is_announced
  after update of ended_at on app_private.session
  for each row when (old.ended_at is null and new.ended_at is not null)
  execute function app_private.announce_session_end();

create or replace trigger session_deletion_is_announced
  after delete on app_private.session
  for each row when (old.ended_at is null and old.expires_at > app_private.clock())
  execute function app_private.announce_session_end();
