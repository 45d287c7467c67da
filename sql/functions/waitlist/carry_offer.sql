-- The place on the waitlist follows its offer: offered, then booked, or waiting again with its old place.
create or replace function app_private.carry_offer() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.waitlist_entry
  set status = case new.outcome
      when 'open' then 'offered'
      when 'accepted' then 'booked'
      else 'waiting'
    end::app_public.waitlist_status
  where waitlist_entry.hospital_id = new.hospital_id and waitlist_entry.id = new.entry_id;
  return null;
end
$$;

comment on function app_private.carry_offer() is
  'Trigger: carries a new or decided offer to the place on the waitlist that it was made to.';

revoke execute on function app_private.carry_offer() from public;

create or replace trigger waitlist_follows_its_offers
  after insert or update of outcome on app_public.waitlist_offer
  for each row execute function app_private.carry_offer();
