-- Raises the alerts that are due, and ends those of days that have passed: nobody waits overnight. The
-- appointments are held while it looks at them again, so that none is raised for a patient who is just
-- being called in; one that somebody holds is left to the next minute, as is one that another sweep has
-- in hand, so it waits for no appointment. What is due, it finds twice: the second time under the locks.
-- Definer, because nobody may write alerts.
create or replace function app_private.raise_stage_alerts(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  held uuid[];
  raised integer := 0;
  midnight timestamptz;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select array_agg(waiting.id) into held
  from (
    select appointment.id
    from app_public.appointment
    where appointment.hospital_id = raise_stage_alerts.hospital_id
      and appointment.id = any (array(
        select due.appointment_id from app_private.due_stages(raise_stage_alerts.hospital_id) as due))
      and appointment.status = 'checked_in'
    for no key update skip locked
  ) as waiting;

  if held is not null then
    insert into app_public.stage_alert (hospital_id, appointment_id, kind, waiting_since, due_at)
    select raise_stage_alerts.hospital_id, due.appointment_id, due.kind, due.waiting_since, due.due_at
    from app_private.due_stages(raise_stage_alerts.hospital_id) as due
    where due.appointment_id = any (held)
    order by due.due_at
    on conflict do nothing;
    get diagnostics raised = row_count;
  end if;

  select app_private.local_midnight(app_private.clock(), hospital.time_zone) into midnight
  from app_public.hospital
  where hospital.id = raise_stage_alerts.hospital_id;
  update app_public.stage_alert
  set status = 'resolved', resolution = 'auto'
  where stage_alert.hospital_id = raise_stage_alerts.hospital_id
    and stage_alert.status <> 'resolved'
    and stage_alert.due_at < midnight;
  return raised;
end
$$;

comment on function app_private.raise_stage_alerts(uuid) is
  'Raises the alerts of a hospital that are due and ends those of days that have passed; returns how many it raised.';

revoke execute on function app_private.raise_stage_alerts(uuid) from public;
grant execute on function app_private.raise_stage_alerts(uuid) to app_worker;
