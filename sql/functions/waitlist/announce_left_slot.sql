-- A move frees a seat, and the state of the appointment does not tell: this message does, for the
-- waitlist of the doctor whom the visit left.
create or replace function app_private.announce_left_slot() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (old.hospital_id, 'waitlist', old.id::text, jsonb_build_object('doctor_id', old.doctor_id));
  return null;
end
$$;

comment on function app_private.announce_left_slot() is
  'Trigger: leaves a message in the outbox when an appointment leaves its slot for another.';

revoke execute on function app_private.announce_left_slot() from public;

create or replace trigger left_slot_is_announced
  after update of slot_id on app_public.appointment
  for each row when (old.slot_id is not null and new.slot_id is distinct from old.slot_id)
  execute function app_private.announce_left_slot();
