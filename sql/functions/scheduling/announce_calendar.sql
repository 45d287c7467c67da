-- One message for whoever watches free slots, however many slots a change of the calendar touched: it
-- names a doctor, or nobody when it is the whole hospital, and says by that to read again.
create or replace function app_private.announce_calendar(hospital_id uuid, doctor_id uuid default null)
returns void
language plpgsql
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (hospital_id, 'slots', coalesce(doctor_id, hospital_id)::text, jsonb_build_object('doctor_id', doctor_id));
end
$$;

comment on function app_private.announce_calendar(uuid, uuid) is
  'Leaves a message in the outbox: slots of a doctor, or of the whole hospital, were closed or opened.';

revoke execute on function app_private.announce_calendar(uuid, uuid) from public;
