-- Takes mails that are due, for a few minutes: should the worker die with them, another one takes them then.
-- A mail may so be sent twice, under the same id, by which mail systems recognise it; never not at all. What
-- is too old to be of use is given up, and its text, which may hold a link, is emptied. Definer, because no
-- role may read mails.
create or replace function app_private.claim_mail(hospital_id uuid, most integer)
returns table (id uuid, address text, subject text, body text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  update app_private.outgoing_mail
  set failed_at = instant, body = '', last_error = 'not sent in time'
  where outgoing_mail.hospital_id = claim_mail.hospital_id
    and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null and outgoing_mail.expires_at <= instant;

  return query
    with due as (
      select outgoing_mail.id
      from app_private.outgoing_mail
      where outgoing_mail.hospital_id = claim_mail.hospital_id
        and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null
        and outgoing_mail.next_attempt_at <= instant
      order by outgoing_mail.next_attempt_at
      limit most
      for update skip locked)
    update app_private.outgoing_mail
    set attempts = outgoing_mail.attempts + 1, next_attempt_at = instant + interval '5 minutes'
    from due
    where outgoing_mail.hospital_id = claim_mail.hospital_id and outgoing_mail.id = due.id
    returning outgoing_mail.id, outgoing_mail.address, outgoing_mail.subject, outgoing_mail.body;
end
$$;

comment on function app_private.claim_mail(uuid, integer) is
  'Takes mails of a hospital that are due, for five minutes, and gives up those that are too old.';

revoke execute on function app_private.claim_mail(uuid, integer) from public;
grant execute on function app_private.claim_mail(uuid, integer) to app_worker;
