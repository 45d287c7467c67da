-- The state of a place on the waitlist follows facts that stand elsewhere: its offers and the calendar.
-- So it does not matter who writes it: offered without an open offer, booked without an accepted one,
-- expired before the last day has passed is refused to everybody. Only leaving is a decision, and
-- whoever has an open offer answers it first.
create or replace function app_private.change_waitlist_status() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  last_outcome app_public.offer_outcome;
  is_true boolean;
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status not in ('waiting', 'offered') then
    perform app_private.refuse('no_longer_waiting',
      jsonb_build_object('waitlist_entry_id', old.id, 'status', old.status));
  end if;

  select waitlist_offer.outcome into last_outcome
  from app_public.waitlist_offer
  where waitlist_offer.hospital_id = old.hospital_id and waitlist_offer.entry_id = old.id
  order by (waitlist_offer.outcome = 'open') desc, waitlist_offer.decided_at desc, waitlist_offer.id desc
  limit 1;
  is_true := case new.status
    when 'offered' then old.status = 'waiting' and last_outcome = 'open'
    when 'booked' then old.status = 'offered' and last_outcome = 'accepted'
    when 'waiting' then old.status = 'offered' and last_outcome in ('declined', 'lapsed')
    when 'cancelled' then old.status = 'waiting'
    when 'expired' then old.status = 'waiting' and old.last_day < (
      select (instant at time zone hospital.time_zone)::date
      from app_public.hospital where hospital.id = old.hospital_id)
  end;
  if is_true is not true then
    perform app_private.refuse('waitlist_follows_offers',
      jsonb_build_object('waitlist_entry_id', old.id, 'from', old.status, 'to', new.status));
  end if;
  new.ended_at := case when new.status not in ('waiting', 'offered') then instant end;
  return new;
end
$$;

comment on function app_private.change_waitlist_status() is
  'Trigger: lets a place on the waitlist take the state that its offers and its days give it, or be left.';

revoke execute on function app_private.change_waitlist_status() from public;

create or replace trigger waitlist_status_follows_offers
  before update of status on app_public.waitlist_entry
  for each row execute function app_private.change_waitlist_status();
