-- What the triggers would have written: an offer whose hold has ended is decided as its appointment was, and a
-- place that waits for no open offer follows its last one. The appointment is locked before the offer and the
-- place on the waitlist last, as in an answer. Anything else contradicts itself, and is for people.
-- Definer, because nobody may write offers.
create or replace function app_private.repair_waitlist_offer(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  visit app_public.appointment;
  last_outcome app_public.offer_outcome;
begin
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = finding.hospital_id
    and appointment.id = (finding.metadata ->> 'appointment_id')::uuid
  for no key update;
  if not exists (
    select from checks.waitlist_offer_mismatch as found
    where found.hospital_id = finding.hospital_id
      and found.entity_id = finding.entity_id
      and found.cache_key = finding.cache_key)
  then
    return 'Nothing to do: the offer and its appointment agree.';
  end if;

  if visit.id is not null then
    if visit.status = 'held' then
      return null;
    end if;
    update app_public.waitlist_offer
    set outcome = case visit.status
        when 'cancelled' then 'declined'
        when 'expired' then 'lapsed'
        else 'accepted'
      end::app_public.offer_outcome
    where waitlist_offer.hospital_id = finding.hospital_id
      and waitlist_offer.appointment_id = visit.id
      and waitlist_offer.outcome = 'open';
    return case when found then 'The offer is decided as its appointment was.' end;
  end if;

  select waitlist_offer.outcome into last_outcome
  from app_public.waitlist_offer
  where waitlist_offer.hospital_id = finding.hospital_id and waitlist_offer.entry_id = finding.entity_id
  order by waitlist_offer.decided_at desc, waitlist_offer.id desc
  limit 1;
  if not found then
    return null;
  end if;
  update app_public.waitlist_entry
  set status = case last_outcome when 'accepted' then 'booked' else 'waiting' end::app_public.waitlist_status
  where waitlist_entry.hospital_id = finding.hospital_id
    and waitlist_entry.id = finding.entity_id
    and waitlist_entry.status = 'offered';
  return 'The place on the waitlist follows its last offer.';
end
$$;

comment on function app_private.repair_waitlist_offer(app_public.finding) is
  'Decides an open offer as its appointment was, or lets a place on the waitlist follow its last offer; null where people have to decide.';

revoke execute on function app_private.repair_waitlist_offer(app_public.finding) from public;
