-- The relay hears of a new mail by a row, in the same transaction. Definer, because who causes a mail may not
-- write the outbox.
create or replace function app_private.announce_mail() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'mail', new.id::text, '{}');
  return null;
end
$$;

comment on function app_private.announce_mail() is 'Trigger: leaves a message in the outbox for a new mail.';

revoke execute on function app_private.announce_mail() from public;

create or replace trigger new_mail_is_announced
  after insert on app_private.outgoing_mail
  for each row execute function app_private.announce_mail();
