-- An offer is open while its appointment is held, and decided by what became of it; the place on the waitlist
-- follows. An accepted visit may have ended in any way since. The second half finds a place that waits for the
-- answer to an offer that is not open.
create or replace view checks.waitlist_offer_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.entry_id as entity_id,
  case when broken.offer_id is null then 'The place on the waitlist waits for an answer, but no offer is open.'
    else format('The offer is %s, but its appointment is %s and the place on the waitlist %s.',
      broken.outcome, broken.status, broken.entry_status) end as detail,
  jsonb_build_object(
    'offer_id', broken.offer_id,
    'outcome', broken.outcome,
    'appointment_id', broken.appointment_id,
    'appointment_status', broken.status,
    'entry_status', broken.entry_status,
    'slot_id', broken.slot_id) as metadata,
  concat_ws(':', entry.name, broken.entry_id, broken.offer_id) as cache_key
from (
  select offer.hospital_id, offer.entry_id, offer.id as offer_id, offer.appointment_id, offer.slot_id, offer.outcome,
    appointment.status, entry.status as entry_status
  from app_public.waitlist_offer as offer
  join app_public.appointment
    on appointment.hospital_id = offer.hospital_id and appointment.id = offer.appointment_id
  join app_public.waitlist_entry as entry
    on entry.hospital_id = offer.hospital_id and entry.id = offer.entry_id
  where case offer.outcome
      when 'open' then appointment.status <> 'held' or entry.status <> 'offered'
      when 'declined' then appointment.status <> 'cancelled'
      when 'lapsed' then appointment.status <> 'expired'
      else appointment.status in ('requested', 'held', 'expired')
        or entry.status <> 'booked' end
  union all
  select entry.hospital_id, entry.id, null, null, null, null, null, entry.status
  from app_public.waitlist_entry as entry
  where entry.status = 'offered'
    and not exists (
      select from app_public.waitlist_offer as offer
      where offer.hospital_id = entry.hospital_id and offer.entry_id = entry.id and offer.outcome = 'open')
) as broken
join app_public.health_check as entry on entry.name = 'waitlist_offer_mismatch';

comment on view checks.waitlist_offer_mismatch is 'Offers of the waitlist that disagree with their appointment or with the place on the waitlist.';
revoke all on checks.waitlist_offer_mismatch from public;
grant select on checks.waitlist_offer_mismatch to app_monitor;

select app_private.declare_check(
  name => 'waitlist_offer_mismatch', domain => 'appointments', severity => 'critical', entity_type => 'waitlist_entry',
  title => 'An offer and what is held for it disagree',
  meaning => 'A seat was offered to somebody on the waitlist, and the offer, the held appointment and the place on the waitlist do not tell the same story.',
  importance => 'A patient waits for ever, because nobody is offered a second seat while one is open; or is offered what is not held.',
  resolution => 'An offer that is still open though the hold ended is decided by itself as its appointment was, and a place that waits for no open offer follows its last one (repair_waitlist_offer). Anything else is for people: look at the history of the appointment and ask the patient.',
  repair => 'repair_waitlist_offer',
  is_event_driven => false);
