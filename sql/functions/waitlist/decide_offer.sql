-- What became of an offer is what became of its appointment, and it is decided once. Nobody can write
-- an answer that was never given.
create or replace function app_private.decide_offer() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  answer app_public.offer_outcome;
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  select case appointment.status
      when 'held' then 'open'
      when 'cancelled' then 'declined'
      when 'expired' then 'lapsed'
      else 'accepted'
    end::app_public.offer_outcome
  into answer
  from app_public.appointment
  where appointment.hospital_id = old.hospital_id and appointment.id = old.appointment_id;
  if old.outcome <> 'open' or new.outcome = 'open' or new.outcome is distinct from answer then
    perform app_private.refuse('waitlist_follows_offers',
      jsonb_build_object('waitlist_entry_id', old.entry_id, 'from', old.outcome, 'to', new.outcome));
  end if;
  new.decided_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.decide_offer() is
  'Trigger: lets an offer be decided once, as its appointment was.';

revoke execute on function app_private.decide_offer() from public;

create or replace trigger offer_is_decided_once
  before update of outcome on app_public.waitlist_offer
  for each row execute function app_private.decide_offer();
