-- Revoked once and for all; a second time changes nothing. Its owner, or an admin of the hospital.
create or replace function app_public.revoke_calendar_feed(feed_id uuid) returns app_public.calendar_feed
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  changed app_public.calendar_feed;
begin
  update app_public.calendar_feed
  set revoked_at = coalesce(calendar_feed.revoked_at, instant)
  where calendar_feed.hospital_id = hospital and calendar_feed.id = feed_id
  returning * into changed;
  if not found then
    perform app_private.refuse('calendar_feed_not_found', jsonb_build_object('feed_id', feed_id));
  end if;
  return changed;
end
$$;

comment on function app_public.revoke_calendar_feed(uuid) is
  'Ends a calendar feed: its address answers like one that never was. One''s own; admins any of the hospital.';

revoke execute on function app_public.revoke_calendar_feed(uuid) from public;
grant execute on function app_public.revoke_calendar_feed(uuid) to app_patient, app_doctor, app_admin;
