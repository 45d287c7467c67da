-- What came of an attempt: sent; refused for good; or to be tried again, after one minute, then two, four, up
-- to an hour, and given up after the tenth time. Of a mail that is settled the text is emptied. Saying it
-- twice changes nothing. Definer, because no role may write mails.
create or replace function app_private.settle_mail(hospital_id uuid, id uuid, outcome text, error text default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  if outcome = 'sent' then
    update app_private.outgoing_mail
    set sent_at = instant, body = '', last_error = null
    where outgoing_mail.hospital_id = settle_mail.hospital_id and outgoing_mail.id = settle_mail.id
      and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null;
    return;
  end if;
  update app_private.outgoing_mail
  set failed_at = instant, body = '', last_error = left(error, 500)
  where outgoing_mail.hospital_id = settle_mail.hospital_id and outgoing_mail.id = settle_mail.id
    and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null
    and (outcome = 'rejected' or outgoing_mail.attempts >= 10);
  update app_private.outgoing_mail
  set next_attempt_at = instant + least(interval '1 minute' * power(2, outgoing_mail.attempts - 1), interval '1 hour'),
      last_error = left(error, 500)
  where outgoing_mail.hospital_id = settle_mail.hospital_id and outgoing_mail.id = settle_mail.id
    and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null;
end
$$;

comment on function app_private.settle_mail(uuid, uuid, text, text) is
  'Notes what came of sending a mail: sent, rejected, or failed and to be tried again.';

revoke execute on function app_private.settle_mail(uuid, uuid, text, text) from public;
grant execute on function app_private.settle_mail(uuid, uuid, text, text) to app_worker;
