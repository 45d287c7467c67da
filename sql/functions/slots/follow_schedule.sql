-- What the background job does after a schedule, a slot duration or a place has changed by whatever hand.
-- After replace_schedule, which has done it already, it finds nothing left to do.
create or replace function app_private.follow_schedule(hospital_id uuid, doctor_id uuid)
returns app_public.calendar_change
language plpgsql
as $$
declare
  today date;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = follow_schedule.hospital_id;
  return app_private.regenerate_slots(hospital_id, doctor_id, today, null);
end
$$;

comment on function app_private.follow_schedule(uuid, uuid) is
  'Brings all slots ahead of a doctor in line with the schedules.';

revoke execute on function app_private.follow_schedule(uuid, uuid) from public;
grant execute on function app_private.follow_schedule(uuid, uuid) to app_worker;
