-- Whose calendar a token opens, by its hash; no row for what is unknown, revoked or of an account that is
-- not active, so that all of these look alike. When it was last used is noted by the hour, so that
-- programs that ask every minute write once. Definer, because nobody is logged in and nobody reads secrets.
create or replace function app_private.find_calendar_feed(hospital_id uuid, token_hash bytea)
returns table (account_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  feed app_public.calendar_feed;
begin
  select calendar_feed.* into feed
  from app_private.calendar_feed_secret
  join app_public.calendar_feed
    on calendar_feed.hospital_id = find_calendar_feed.hospital_id and calendar_feed.id = calendar_feed_secret.feed_id
  join app_public.account
    on account.hospital_id = find_calendar_feed.hospital_id and account.id = calendar_feed.account_id
  where calendar_feed_secret.hospital_id = find_calendar_feed.hospital_id
    and calendar_feed_secret.token_hash = find_calendar_feed.token_hash
    and calendar_feed.revoked_at is null
    and account.is_active;
  if not found then
    return;
  end if;
  if feed.last_used_at is null or feed.last_used_at < instant - interval '1 hour' then
    update app_public.calendar_feed set last_used_at = instant
    where calendar_feed.hospital_id = find_calendar_feed.hospital_id and calendar_feed.id = feed.id;
  end if;
  return query
    select account.id, account.role, account.doctor_id, account.patient_id
    from app_public.account
    where account.hospital_id = find_calendar_feed.hospital_id and account.id = feed.account_id
      and account.role in ('patient', 'doctor');
end
$$;

comment on function app_private.find_calendar_feed(uuid, bytea) is
  'The account whose calendar a feed''s token opens; no row where none does.';

revoke execute on function app_private.find_calendar_feed(uuid, bytea) from public;
grant execute on function app_private.find_calendar_feed(uuid, bytea) to app_login;
