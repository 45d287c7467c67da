-- Tells somebody what happened to their login: in their inbox, and by a mail that no setting silences,
-- because it is how they notice that it was not themselves. Functions that run as the owner call it.
create or replace function app_private.tell_account(hospital_id uuid, account_id uuid, happening text)
returns void
language plpgsql volatile
as $$
declare
  told app_public.account;
  template app_public.notification_template;
begin
  select * into told
  from app_public.account
  where account.hospital_id = tell_account.hospital_id and account.id = tell_account.account_id;
  select * into template
  from app_public.notification_template
  where notification_template.event = happening and notification_template.audience = 'staff';
  insert into app_public.notification (
    hospital_id, patient_id, doctor_id, account_id, event, priority, channels, title, body, created_at)
  values (
    told.hospital_id, told.patient_id, told.doctor_id,
    case when told.patient_id is null and told.doctor_id is null then told.id end,
    template.event, template.priority, template.channels, template.title, template.body, app_private.clock());
  perform app_private.send_mail(
    told.hospital_id, told.email, template.title, template.body, interval '2 days');
end
$$;

comment on function app_private.tell_account(uuid, uuid, text) is
  'Tells an account what happened to its login, in its inbox and by mail.';

revoke execute on function app_private.tell_account(uuid, uuid, text) from public;
