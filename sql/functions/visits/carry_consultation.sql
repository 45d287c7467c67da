-- The visit follows its consultation, in the same transaction: completed, it is completed; abandoned, the
-- patient is back in the waiting room, and another consultation may be started.
create or replace function app_private.carry_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.appointment
  set status = (case new.status when 'completed' then 'completed' else 'checked_in' end)::app_public.appointment_status
  where appointment.hospital_id = new.hospital_id
    and appointment.id = new.appointment_id
    and appointment.status = 'in_progress';
  return null;
end
$$;

comment on function app_private.carry_consultation() is
  'Trigger: completes the visit of a completed consultation, and lets that of an abandoned one wait again.';

revoke execute on function app_private.carry_consultation() from public;

create or replace trigger visit_follows_its_consultation
  after update on app_public.consultation
  for each row when (new.ended_at is not null and old.ended_at is null)
  execute function app_private.carry_consultation();
