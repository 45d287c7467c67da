-- Tells the admins of a hospital, or of every hospital where it is about the machinery, by an ordinary
-- notification: its deliveries, preferences and tries again are those of all notifications. Only functions
-- that run as the owner call it: who could call it would write into inboxes.
create or replace function app_private.tell_admins(hospital_id uuid, event text, facts jsonb)
returns integer
language plpgsql volatile
as $$
declare
  told integer;
begin
  insert into app_public.notification (
    hospital_id, account_id, event, priority, channels, title, body, created_at)
  select account.hospital_id, account.id, template.event, template.priority, template.channels,
    app_private.fill_template(template.title, null, null, null, null, facts),
    app_private.fill_template(template.body, null, null, null, null, facts),
    app_private.clock()
  from app_public.hospital
  join app_public.account on account.hospital_id = hospital.id and account.role = 'admin' and account.is_active
  join app_public.notification_template as template
    on template.event = tell_admins.event and template.audience = 'staff'
  where hospital.id = tell_admins.hospital_id or tell_admins.hospital_id = app_private.machinery();
  get diagnostics told = row_count;
  return told;
end
$$;

comment on function app_private.tell_admins(uuid, text, jsonb) is
  'Leaves a notification for the admins of a hospital, or of all where it is about the machinery; returns how many.';

revoke execute on function app_private.tell_admins(uuid, text, jsonb) from public;
