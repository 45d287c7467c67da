-- Where mails of the login are due. Costs as much as there are mails to be sent. Definer, because no role may
-- read mails; it tells only where there are some.
create or replace function app_private.hospitals_with_mail()
returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return query
    select distinct outgoing_mail.hospital_id
    from app_private.outgoing_mail
    where outgoing_mail.sent_at is null and outgoing_mail.failed_at is null
      and outgoing_mail.next_attempt_at <= instant;
end
$$;

comment on function app_private.hospitals_with_mail() is 'Hospitals with mails of the login that are due.';

revoke execute on function app_private.hospitals_with_mail() from public;
grant execute on function app_private.hospitals_with_mail() to app_worker;
