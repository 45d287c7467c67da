-- Tells the outside, by a row: identifiers only, in the same transaction. The relay carries it to those
-- who watch the alerts of this doctor, or of all.
create or replace function app_private.announce_stage_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'stage_alert', new.id::text, jsonb_build_object(
    'doctor_id', new.doctor_id, 'alert_ids', jsonb_build_array(new.id)));
  return null;
end
$$;

comment on function app_private.announce_stage_alert() is
  'Trigger: leaves a message in the outbox for every new alert and every change of its state.';

revoke execute on function app_private.announce_stage_alert() from public;

create or replace trigger stage_alert_is_announced
  after insert or update of status on app_public.stage_alert
  for each row execute function app_private.announce_stage_alert();
