-- Tells the patient of every appointment among these that still stands.
create or replace function app_private.tell_affected(
  hospital_id uuid, event text, affected app_public.affected_appointment[], facts jsonb default null)
returns void
language plpgsql
as $$
declare
  visit app_public.appointment;
begin
  for visit in
    select appointment.*
    from app_public.appointment
    where appointment.hospital_id = tell_affected.hospital_id
      and appointment.id in (select each.appointment_id from unnest(affected) as each)
      and appointment.status <> 'cancelled'
    order by appointment.starts_at, appointment.id
  loop
    perform app_private.notify_of_appointment(event, 'patient', visit, facts);
  end loop;
end
$$;

comment on function app_private.tell_affected(uuid, text, app_public.affected_appointment[], jsonb) is
  'Leaves a notification for the patient of each of these appointments that still stands.';

revoke execute on function app_private.tell_affected(uuid, text, app_public.affected_appointment[], jsonb) from public;
