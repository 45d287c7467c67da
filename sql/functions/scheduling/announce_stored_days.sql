-- A hospital that stores more days ahead wants them at once: one message for all its doctors.
create or replace function app_private.announce_stored_days() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.id, 'schedule', new.id::text, '{}');
  return null;
end
$$;

comment on function app_private.announce_stored_days() is
  'Trigger: leaves a message in the outbox when a hospital stores more days ahead.';

revoke execute on function app_private.announce_stored_days() from public;

create or replace trigger hospital_stored_days_are_announced
  after update of booking_horizon_days, generated_days on app_public.hospital
  for each row when (
    coalesce(new.generated_days, new.booking_horizon_days) > coalesce(old.generated_days, old.booking_horizon_days))
  execute function app_private.announce_stored_days();
