-- Whoever joins may find a seat free at this very moment: the relay turns this message into one look at
-- the doctor, or, for a specialty, at the doctors who are waited for.
create or replace function app_private.announce_waitlist_entry() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'waitlist', new.id::text, jsonb_build_object('doctor_id', new.doctor_id));
  return null;
end
$$;

comment on function app_private.announce_waitlist_entry() is
  'Trigger: leaves a message in the outbox for a new place on the waitlist.';

revoke execute on function app_private.announce_waitlist_entry() from public;

create or replace trigger waitlist_entry_is_announced
  after insert on app_public.waitlist_entry
  for each row execute function app_private.announce_waitlist_entry();
