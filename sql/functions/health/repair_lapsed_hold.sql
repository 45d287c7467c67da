-- The seat goes back as the sweeper gives it back: the hold expires, and the offer of the waitlist with it. A hold
-- that may still be confirmed, because its end lies ahead though its visit has begun, is for people.
-- Definer, because locking needs rights that the worker lacks.
create or replace function app_private.repair_lapsed_hold(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hold app_public.appointment;
begin
  select * into hold
  from app_public.appointment
  where appointment.hospital_id = finding.hospital_id and appointment.id = finding.entity_id
  for no key update;
  if not exists (
    select from checks.lapsed_hold as found
    where found.hospital_id = finding.hospital_id and found.entity_id = finding.entity_id)
  then
    return format('Nothing to do: the appointment is %s.', coalesce(hold.status::text, 'gone'));
  elsif hold.held_until > app_private.clock() then
    return null;
  end if;
  update app_public.appointment
  set status = 'expired'
  where appointment.hospital_id = hold.hospital_id and appointment.id = hold.id;
  return 'The hold has expired, and its seat is free.';
end
$$;

comment on function app_private.repair_lapsed_hold(app_public.finding) is
  'Expires a hold that has lapsed and gives its seat back; null where people have to decide.';

revoke execute on function app_private.repair_lapsed_hold(app_public.finding) from public;
