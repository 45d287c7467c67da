-- What begins with a consultation, in its own transaction: the visit is in progress, and its doctor takes
-- part as the primary one.
create or replace function app_private.begin_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.appointment
  set status = 'in_progress'
  where appointment.hospital_id = new.hospital_id
    and appointment.id = new.appointment_id
    and appointment.status = 'checked_in';
  insert into app_public.consultation_participant (hospital_id, consultation_id, doctor_id, role)
  values (new.hospital_id, new.id, new.doctor_id, 'primary');
  return null;
end
$$;

comment on function app_private.begin_consultation() is
  'Trigger: sets the visit of a new consultation in progress, and its doctor as the primary one.';

revoke execute on function app_private.begin_consultation() from public;

create or replace trigger consultation_begins_the_visit
  after insert on app_public.consultation
  for each row execute function app_private.begin_consultation();
