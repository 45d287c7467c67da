-- An occurrence is recorded only as it happened: of this series, its patient and its doctor, and booked
-- only as an appointment of this series. Nobody can write a history that never was.
create or replace function app_private.witness_occurrence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  if not exists (
    select from app_public.appointment_series
    where appointment_series.hospital_id = new.hospital_id
      and appointment_series.id = new.series_id
      and appointment_series.patient_id = new.patient_id
      and appointment_series.doctor_id = new.doctor_id
      and new.number <= appointment_series.occurrence_count)
    or new.appointment_id is not null and not exists (
      select from app_public.appointment
      where appointment.hospital_id = new.hospital_id
        and appointment.id = new.appointment_id
        and appointment.series_id = new.series_id
        and appointment.patient_id = new.patient_id)
  then
    perform app_private.refuse('forbidden', jsonb_build_object('series_id', new.series_id));
  end if;
  return new;
end
$$;

comment on function app_private.witness_occurrence() is
  'Trigger: refuses an occurrence that is not of its series.';

revoke execute on function app_private.witness_occurrence() from public;

create or replace trigger series_occurrence_is_witnessed
  before insert on app_public.series_occurrence
  for each row execute function app_private.witness_occurrence();
