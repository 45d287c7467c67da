-- Who is to be offered which seat: the first who fits and could book, at most one seat a patient and as
-- many patients as a slot has room for. Nobody is offered what they could not book: the judge of all
-- bookings says so. What the judge says of a seat, of whoever asks, or of a patient, wherever, is asked
-- once and not for every pair.
create or replace function app_private.plan_offers(hospital_id uuid, doctor_id uuid, most integer)
returns table (entry_id uuid, slot_id uuid, patient_id uuid, service_id uuid)
language plpgsql stable rows 10
as $$
declare
  pair record;
  verdict record;
  planned integer := 0;
  room_left integer;
  last_slot_id uuid;
  settled_patients uuid[] := '{}';
  unfit_services uuid[] := '{}';
  no_service constant uuid := '00000000-0000-0000-0000-000000000000';
begin
  for pair in
    select * from app_private.fitting_seats(plan_offers.hospital_id, plan_offers.doctor_id)
  loop
    if pair.slot_id is distinct from last_slot_id then
      last_slot_id := pair.slot_id;
      room_left := pair.room;
      unfit_services := '{}';
    end if;
    continue when room_left = 0
      or pair.patient_id = any (settled_patients)
      or coalesce(pair.service_id, no_service) = any (unfit_services);

    select
      count(*) > 0 as is_broken,
      coalesce(bool_or(broken.rule in (1, 2)), false) as is_of_patient,
      coalesce(bool_or(broken.rule not in (1, 2, 3)), false) as is_of_seat
    into verdict
    from app_private.judge_booking(
      plan_offers.hospital_id, pair.slot_id, pair.patient_id, pair.service_id, only_broken => true) as broken;
    if verdict.is_of_patient or not verdict.is_broken then
      settled_patients := settled_patients || pair.patient_id;
    end if;
    if verdict.is_of_seat then
      unfit_services := unfit_services || coalesce(pair.service_id, no_service);
    end if;
    continue when verdict.is_broken;

    entry_id := pair.entry_id;
    slot_id := pair.slot_id;
    patient_id := pair.patient_id;
    service_id := pair.service_id;
    return next;
    room_left := room_left - 1;
    planned := planned + 1;
    exit when planned = most;
  end loop;
end
$$;

comment on function app_private.plan_offers(uuid, uuid, integer) is
  'The next offers of a doctor''s free seats to waiting patients, at most so many; nothing is changed.';

revoke execute on function app_private.plan_offers(uuid, uuid, integer) from public;
