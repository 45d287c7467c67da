-- The waits of the hospital's local day that have become too long and have no alert of their own yet. One
-- that somebody has resolved by hand is not raised again for the same wait; a new wait has its own. Only
-- functions that run as the owner call it, so nobody is granted it.
create or replace function app_private.due_stages(hospital_id uuid)
returns table (appointment_id uuid, kind app_public.stage_alert_kind, waiting_since timestamptz, due_at timestamptz)
language plpgsql stable rows 5
as $$
declare
  instant timestamptz := app_private.clock();
  midnight timestamptz;
begin
  select app_private.local_midnight(instant, hospital.time_zone) into midnight
  from app_public.hospital
  where hospital.id = due_stages.hospital_id;
  return query
  select waiting.appointment_id, due.kind, waiting.waiting_since, waiting.due_at
  from app_private.waiting_stages(due_stages.hospital_id, midnight, 'infinity') as waiting
  cross join lateral (
    select (case waiting.stage when 'waiting_for_vitals' then 'no_vitals' else 'no_doctor' end)::app_public.stage_alert_kind
  ) as due (kind)
  where waiting.due_at <= instant
    and not exists (
      select from app_public.stage_alert as raised
      where raised.hospital_id = due_stages.hospital_id
        and raised.appointment_id = waiting.appointment_id
        and raised.kind = due.kind
        and (raised.status <> 'resolved' or raised.waiting_since >= waiting.waiting_since));
end
$$;

comment on function app_private.due_stages(uuid) is
  'Waits of the local day that are too long and have no alert yet.';

revoke execute on function app_private.due_stages(uuid) from public;
