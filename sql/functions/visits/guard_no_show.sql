-- Nobody has failed to come before the visit began, unless the patient said so; by itself a visit is
-- missed only when its time-out has gone by, whatever the job believes. An operator in psql may write down
-- what is known. The patient is locked before the
-- seats that are given back, as in every booking, because the count is theirs.
create or replace function app_private.guard_no_show(
  actor text, visit app_public.appointment, instant timestamptz)
returns void
language plpgsql
as $$
declare
  due_at timestamptz := visit.starts_at;
begin
  if actor = 'worker' then
    due_at := app_private.no_show_due_at(visit.hospital_id, visit.doctor_id, visit.starts_at);
  end if;
  if actor <> 'operator' and instant < due_at and app_private.no_show_reason(actor) <> 'patient_called' then
    perform app_private.refuse('no_show_too_early', jsonb_build_object('from', due_at));
  end if;
  perform from app_public.patient
  where patient.hospital_id = visit.hospital_id and patient.id = visit.patient_id
  for no key update;
end
$$;

comment on function app_private.guard_no_show(text, app_public.appointment, timestamptz) is
  'Refuses to mark a visit as missed before its time.';

revoke execute on function app_private.guard_no_show(text, app_public.appointment, timestamptz) from public;
