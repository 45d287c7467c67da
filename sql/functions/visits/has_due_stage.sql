-- Whether there is something for raise_stage_alerts to do: what the sweep asks of each hospital. Definer,
-- because the worker reads neither alerts nor consultations.
create or replace function app_private.has_due_stage(hospital_id uuid) returns boolean
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return exists (select from app_private.due_stages(hospital_id))
    or exists (
      select from app_public.stage_alert as forgotten
      join app_public.hospital on hospital.id = has_due_stage.hospital_id
      where forgotten.hospital_id = has_due_stage.hospital_id
        and forgotten.status <> 'resolved'
        and forgotten.due_at < app_private.local_midnight(app_private.clock(), hospital.time_zone));
end
$$;

comment on function app_private.has_due_stage(uuid) is
  'Whether a hospital has alerts to raise, or some of a day that has passed.';

revoke execute on function app_private.has_due_stage(uuid) from public;
grant execute on function app_private.has_due_stage(uuid) to app_worker;
