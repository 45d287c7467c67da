-- The answer to an offered seat is what becomes of the held appointment, whoever does it and however:
-- confirmed, cancelled, or lapsed and swept. Entered only by a hold that ends, so that an ordinary booking
-- does not pay for it; a hold that was no offer costs one look into an index.
create or replace function app_private.answer_offer() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.waitlist_offer
  set outcome = case new.status
      when 'cancelled' then 'declined'
      when 'expired' then 'lapsed'
      else 'accepted'
    end::app_public.offer_outcome
  where waitlist_offer.hospital_id = new.hospital_id
    and waitlist_offer.appointment_id = new.id
    and waitlist_offer.outcome = 'open';
  return null;
end
$$;

comment on function app_private.answer_offer() is
  'Trigger: decides the offer of a held appointment when the hold ends.';

revoke execute on function app_private.answer_offer() from public;

create or replace trigger offer_is_answered
  after update of status on app_public.appointment
  for each row when (old.status = 'held' and new.status <> 'held')
  execute function app_private.answer_offer();
