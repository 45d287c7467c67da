-- Every other admin is told at once, in the same transaction: no access without that. Definer, because no role
-- may write to others' inboxes.
create or replace function app_private.tell_of_emergency_access() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  template app_public.notification_template;
  taker_name text;
  patient_name text;
begin
  select account.display_name into taker_name
  from app_public.account
  where account.hospital_id = new.hospital_id and account.id = new.account_id;
  select patient.name into patient_name
  from app_public.patient
  where patient.hospital_id = new.hospital_id and patient.id = new.patient_id;
  select * into template
  from app_public.notification_template
  where notification_template.event = 'record_opened_in_emergency' and notification_template.audience = 'staff';

  insert into app_public.notification (
    hospital_id, account_id, event, priority, channels, title, body, created_at)
  select new.hospital_id, account.id, template.event, template.priority, template.channels, template.title,
    app_private.fill_template(template.body, patient_name, taker_name, null, null, jsonb_build_object('reason', new.reason)),
    app_private.clock()
  from app_public.account
  where account.hospital_id = new.hospital_id and account.role = 'admin' and account.is_active
    and account.id <> new.account_id;
  perform app_private.record_security_event(
    new.hospital_id, 'break_glass', new.account_id,
    jsonb_build_object('emergency_access_id', new.id, 'patient_id', new.patient_id));
  return null;
end
$$;

comment on function app_private.tell_of_emergency_access() is
  'Trigger: tells the admins of an emergency access, and writes the event.';

revoke execute on function app_private.tell_of_emergency_access() from public;

create or replace trigger emergency_access_is_told
  after insert on app_public.emergency_access
  for each row execute function app_private.tell_of_emergency_access();
