-- Whatever else decides which slots a doctor has tells the job that brings them in line: the slot
-- duration, whether the doctor works here, whether a place is open. One message a doctor. Trigger
-- argument: the table's name.
create or replace function app_private.announce_working_time() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_argv[0] = 'doctor' then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (new.hospital_id, 'schedule', new.id::text, jsonb_build_object('doctor_id', new.id));
  else
    insert into app_private.outbox (hospital_id, topic, key, payload)
    select new.hospital_id, 'schedule', concerned.doctor_id::text, jsonb_build_object('doctor_id', concerned.doctor_id)
    from (
      select distinct schedule.doctor_id
      from app_public.schedule
      where schedule.hospital_id = new.hospital_id and schedule.location_id = new.id and schedule.is_active
    ) as concerned;
  end if;
  return null;
end
$$;

comment on function app_private.announce_working_time() is
  'Trigger: leaves a message in the outbox when a doctor''s slot duration or a place changes.';

revoke execute on function app_private.announce_working_time() from public;

create or replace trigger doctor_working_time_is_announced
  after update of slot_duration, is_active on app_public.doctor
  for each row when ((new.slot_duration, new.is_active) is distinct from (old.slot_duration, old.is_active))
  execute function app_private.announce_working_time('doctor');

create or replace trigger location_working_time_is_announced
  after update of is_active on app_public.location
  for each row when (new.is_active <> old.is_active)
  execute function app_private.announce_working_time('location');
