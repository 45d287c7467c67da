-- Offers a doctor's free seats to those who wait, in one transaction of bounded size: whoever calls goes
-- on until nothing more is offered. The second of two workers waits at the first lock and then finds
-- what is left. All patients, then all slots and days that the plan touches are locked in the order of
-- every booking before the first seat is taken, so that many bookings in one transaction wait for nobody while they hold what somebody else is waiting for.
-- It acts as the worker, because it is the system that offers; it runs as the owner, because only flows
-- write offers.
create or replace function app_private.offer_free_seats(hospital_id uuid, doctor_id uuid)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  most constant integer := 25;
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  plan record;
  offered integer := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended(concat('offers', hospital_id, doctor_id), 0));
  select array_agg(next_offer.entry_id) as entry_ids, array_agg(next_offer.slot_id) as slot_ids,
    array_agg(next_offer.patient_id) as patient_ids, array_agg(next_offer.service_id) as service_ids
  into plan
  from app_private.plan_offers(hospital_id, doctor_id, most) as next_offer;
  if plan.entry_ids is null then
    return 0;
  end if;

  perform from app_public.patient
  where patient.hospital_id = offer_free_seats.hospital_id and patient.id = any (plan.patient_ids)
  order by patient.id
  for no key update;
  perform app_private.lock_seats(hospital_id, app_private.slots_of_offers(
    hospital_id, doctor_id, plan.slot_ids, plan.service_ids, plan.patient_ids));

  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  for number in 1 .. cardinality(plan.entry_ids) loop
    if app_private.offer_seat(hospital_id, plan.entry_ids[number], plan.slot_ids[number]) then
      offered := offered + 1;
    end if;
  end loop;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return offered;
end
$$;

comment on function app_private.offer_free_seats(uuid, uuid) is
  'Holds free seats of a doctor for those who wait for them, and tells them; returns how many, 0 when nothing is left to offer.';

revoke execute on function app_private.offer_free_seats(uuid, uuid) from public;
grant execute on function app_private.offer_free_seats(uuid, uuid) to app_worker;
