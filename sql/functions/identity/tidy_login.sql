-- Every night: invitations whose time has passed are marked so, links and challenges that nobody can use any
-- more, settled mails of a month ago and events older than the hospital keeps them go. Definer, because no
-- role may delete any of it.
create or replace function app_private.tidy_login(hospital_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  limit_of_memory timestamptz;
begin
  update app_public.invitation
  set status = 'expired'
  where invitation.hospital_id = tidy_login.hospital_id
    and invitation.status = 'pending' and invitation.expires_at <= instant;
  delete from app_private.login_token
  where login_token.hospital_id = tidy_login.hospital_id and login_token.expires_at <= instant;
  delete from app_private.outgoing_mail
  where outgoing_mail.hospital_id = tidy_login.hospital_id
    and coalesce(outgoing_mail.sent_at, outgoing_mail.failed_at) < instant - interval '30 days';

  select instant - make_interval(days => hospital.security_events_kept_days) into limit_of_memory
  from app_public.hospital
  where hospital.id = tidy_login.hospital_id;
  perform set_config('slotkeeper.housekeeping', 'on', true);
  delete from app_public.security_event
  where security_event.hospital_id = tidy_login.hospital_id and security_event.occurred_at < limit_of_memory;
  perform set_config('slotkeeper.housekeeping', '', true);
end
$$;

comment on function app_private.tidy_login(uuid) is
  'Marks what has expired of a hospital''s logins, and deletes what is not kept any longer.';

revoke execute on function app_private.tidy_login(uuid) from public;
grant execute on function app_private.tidy_login(uuid) to app_worker;
