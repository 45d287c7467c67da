-- Until when a held seat waits: a short while for who is just choosing, longer for who has to hear of it
-- first (a time proposed in answer to a request, a seat offered from the waitlist), and never beyond the
-- start of the visit.
create or replace function app_private.held_until(hold app_public.appointment, is_offer boolean)
returns timestamptz
language plpgsql stable
as $$
begin
  return (
    select least(
      app_private.clock() + case when is_offer then hospital.offer_duration else hospital.hold_duration end,
      lower(hold.during))
    from app_public.hospital
    where hospital.id = hold.hospital_id);
end
$$;

comment on function app_private.held_until(app_public.appointment, boolean) is
  'Until when a seat that is held now waits for its confirmation.';

revoke execute on function app_private.held_until(app_public.appointment, boolean) from public;
