-- The secret is made in the database and told here, once; see open_calendar_feed.
create or replace function app_public.create_calendar_feed() returns app_public.new_calendar_feed
language plpgsql volatile
as $$
begin
  return app_private.open_calendar_feed(app_private.request_hospital_id(), app_private.claim_account_id());
end
$$;

comment on function app_public.create_calendar_feed() is
  'Makes a private address from which a calendar program reads your visits, at most 5 at a time. The address is told this once; whoever knows it reads them without a password. For patients and doctors.';

revoke execute on function app_public.create_calendar_feed() from public;
grant execute on function app_public.create_calendar_feed() to app_patient, app_doctor;
