-- A new or changed schedule wants its slots: the relay turns this message into one generation job
-- for the doctor, however many rows changed.
create or replace function app_private.announce_schedule() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'schedule', new.doctor_id::text, jsonb_build_object('doctor_id', new.doctor_id));
  return null;
end
$$;

comment on function app_private.announce_schedule() is 'Trigger: leaves a message in the outbox for a new or changed schedule.';

revoke execute on function app_private.announce_schedule() from public;

create or replace trigger schedule_is_announced
  after insert or update on app_public.schedule
  for each row execute function app_private.announce_schedule();
