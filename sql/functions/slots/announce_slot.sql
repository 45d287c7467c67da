-- Slots that are blocked, unblocked, withdrawn or resized are told outside; bookings tell their own
-- slots, and generation tells one message a run.
create or replace function app_private.announce_slot() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'slots', new.doctor_id::text,
    jsonb_build_object('doctor_id', new.doctor_id, 'slot_ids', jsonb_build_array(new.id)));
  return null;
end
$$;

comment on function app_private.announce_slot() is 'Trigger: leaves a message in the outbox for a slot changed by hand.';

revoke execute on function app_private.announce_slot() from public;

create or replace trigger slot_is_announced
  after update of blocked_at, withdrawn_at, capacity on app_public.slot
  for each row execute function app_private.announce_slot();
