-- Tells the outside, by a row: identifiers only, in the same transaction. The relay carries it; a
-- notification from here would take the one lock of the whole server at every commit. A move is told
-- to those who watch the old slot's doctor, too. A request has no slot yet. What it was before, and when
-- it is, are for webhooks, which tell what happened and not what has become of it since.
create or replace function app_private.announce_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'appointment', new.id::text, jsonb_build_object(
    'status', new.status, 'doctor_id', new.doctor_id,
    'slot_ids', case when new.slot_id is null then '[]' else jsonb_build_array(new.slot_id) end,
    'is_main', true,
    'from', case when tg_op = 'UPDATE' then old.status end,
    'is_moved', tg_op = 'UPDATE' and old.slot_id is distinct from new.slot_id,
    'starts_at', new.starts_at, 'ends_at', new.ends_at));

  if tg_op = 'UPDATE' and old.slot_id is distinct from new.slot_id and old.slot_id is not null then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (old.hospital_id, 'appointment', old.id::text, jsonb_build_object(
      'status', new.status, 'doctor_id', old.doctor_id, 'slot_ids', jsonb_build_array(old.slot_id)));
  end if;
  return null;
end
$$;

comment on function app_private.announce_appointment() is
  'Trigger: leaves a message in the outbox for every new or changed appointment.';

revoke execute on function app_private.announce_appointment() from public;

create or replace trigger appointment_is_announced
  after insert or update on app_public.appointment
  for each row execute function app_private.announce_appointment();
