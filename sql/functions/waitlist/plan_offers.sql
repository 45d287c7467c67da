-- Who is to be offered which seat: the soonest seat first, and for each the first who fits and could book
-- it; at most one seat a patient, and as many patients as a slot has room for. A seat that was once offered
-- to an entry is not offered to it again. Nobody is offered what they could not book: the judge of all
-- bookings says so. What the judge says of a patient, wherever, or of a seat for a service, whoever asks,
-- is asked once and not for every pair.
-- Those who wait are read once; the work is theirs times the free seats looked at, and it ends with the
-- last offer of the plan.
create or replace function app_private.plan_offers(hospital_id uuid, doctor_id uuid, most integer)
returns table (entry_id uuid, slot_id uuid, patient_id uuid, service_id uuid)
language plpgsql stable rows 10
as $$
declare
  no_service constant uuid := '00000000-0000-0000-0000-000000000000'::uuid;
  waiting app_public.waitlist_entry[] := array(
    select entry from app_private.waits_for_doctor(hospital_id, doctor_id) as entry);
  seat record;
  entry app_public.waitlist_entry;
  verdict record;
  planned integer := 0;
  settled_patients uuid[] := '{}'::uuid[];
  unfit_services uuid[];
begin
  for seat in
    select free.*
    from (
      select min(entry_days.first_day) as first_day, max(entry_days.last_day) as last_day
      from unnest(waiting) as entry_days
    ) as days
    cross join lateral app_private.free_seats_between(
      plan_offers.hospital_id, plan_offers.doctor_id, days.first_day, days.last_day) as free
  loop
    unfit_services := '{}'::uuid[];
    for entry in
      select wish.*
      from unnest(waiting) as wish
      where seat.day between wish.first_day and wish.last_day
        and seat.local_time >= coalesce(wish.earliest_time, seat.local_time)
        and seat.local_time <= coalesce(wish.latest_time, seat.local_time)
        and seat.location_id = coalesce(wish.location_id, seat.location_id)
        and not exists (
          select from app_public.waitlist_offer
          where waitlist_offer.hospital_id = plan_offers.hospital_id
            and waitlist_offer.entry_id = wish.id
            and waitlist_offer.slot_id = seat.slot_id)
    loop
      exit when seat.room = 0;
      continue when entry.patient_id = any (settled_patients)
        or coalesce(entry.service_id, no_service) = any (unfit_services);

      select
        count(*) > 0 as is_broken,
        coalesce(bool_or(broken.rule in (1, 2)), false) as is_of_patient,
        coalesce(bool_or(broken.rule not in (1, 2, 3)), false) as is_of_seat
      into verdict
      from app_private.judge_booking(
        plan_offers.hospital_id, seat.slot_id, entry.patient_id, entry.service_id, only_broken => true) as broken;
      if verdict.is_of_patient or not verdict.is_broken then
        settled_patients := settled_patients || entry.patient_id;
      end if;
      if verdict.is_of_seat then
        unfit_services := unfit_services || coalesce(entry.service_id, no_service);
      end if;
      continue when verdict.is_broken;

      entry_id := entry.id;
      slot_id := seat.slot_id;
      patient_id := entry.patient_id;
      service_id := entry.service_id;
      return next;
      seat.room := seat.room - 1;
      planned := planned + 1;
      if planned = most then
        return;
      end if;
    end loop;
  end loop;
end
$$;

comment on function app_private.plan_offers(uuid, uuid, integer) is
  'The next offers of a doctor''s free seats to waiting patients, at most so many; nothing is changed.';

revoke execute on function app_private.plan_offers(uuid, uuid, integer) from public;
