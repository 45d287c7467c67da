-- A mail of the login, written with what it tells of, so that neither is without the other. The worker
-- sends it and puts the address of the console in place of {public_url}. Functions that run as the owner
-- call it; a role that could would write to anybody.
create or replace function app_private.send_mail(
  hospital_id uuid, address text, subject text, body text, lifetime interval)
returns void
language plpgsql volatile
as $$
declare
  hospital_name text;
begin
  select regexp_replace(hospital.name, '[[:cntrl:]]', ' ', 'g') into hospital_name
  from app_public.hospital
  where hospital.id = send_mail.hospital_id;
  insert into app_private.outgoing_mail (hospital_id, address, subject, body, expires_at)
  values (
    send_mail.hospital_id, send_mail.address, hospital_name || ': ' || send_mail.subject, send_mail.body,
    app_private.clock() + lifetime);
end
$$;

comment on function app_private.send_mail(uuid, text, text, text, interval) is
  'Leaves a mail to be sent; after its lifetime it is not sent any more.';

revoke execute on function app_private.send_mail(uuid, text, text, text, interval) from public;
