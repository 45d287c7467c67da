-- Makes a calendar feed for the account of the request, and its secret: the hospital and 256 random bits,
-- told once and stored as their hash. With that much chance in it, it needs no salt and no slow hash. The
-- account is locked first, so that its feeds are counted one by one. Definer, because nobody may write
-- secrets.
create or replace function app_private.open_calendar_feed(hospital_id uuid, account_id uuid)
returns app_public.new_calendar_feed
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  most constant integer := 5;
  opened app_public.new_calendar_feed;
  token bytea;
begin
  if hospital_id is distinct from app_private.claim_hospital_id()
    or account_id is distinct from app_private.claim_account_id()
  then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.account
  where account.hospital_id = open_calendar_feed.hospital_id and account.id = open_calendar_feed.account_id
    and account.is_active
  for no key update;
  if not found then
    perform app_private.refuse('forbidden');
  end if;
  if (select count(*) from app_public.calendar_feed
      where calendar_feed.hospital_id = open_calendar_feed.hospital_id
        and calendar_feed.account_id = open_calendar_feed.account_id
        and calendar_feed.revoked_at is null) >= most
  then
    perform app_private.refuse('too_many_calendar_feeds', jsonb_build_object('most', most));
  end if;

  token := uuid_send(hospital_id)
    || sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  insert into app_public.calendar_feed (hospital_id, account_id, created_at)
  values (open_calendar_feed.hospital_id, open_calendar_feed.account_id, app_private.clock())
  returning calendar_feed.id into opened.feed_id;
  insert into app_private.calendar_feed_secret (hospital_id, token_hash, feed_id)
  values (open_calendar_feed.hospital_id, sha256(token), opened.feed_id);
  opened.path := '/calendar/' || translate(encode(token, 'base64'), '+/', '-_') || '.ics';
  return opened;
end
$$;

comment on function app_private.open_calendar_feed(uuid, uuid) is
  'Makes a calendar feed of the request''s account; what it returns cannot be read again.';

revoke execute on function app_private.open_calendar_feed(uuid, uuid) from public;
grant execute on function app_private.open_calendar_feed(uuid, uuid) to app_patient, app_doctor;
