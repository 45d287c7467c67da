-- Tells the admins of a hospital that a subscription was switched off. Only settle_webhook calls it, as
-- the owner: who could call it would write into inboxes.
create or replace function app_private.tell_of_webhook(hospital_id uuid, name text)
returns void
language plpgsql
as $$
begin
  insert into app_public.notification (
    hospital_id, account_id, event, priority, channels, title, body, created_at)
  select account.hospital_id, account.id, template.event, template.priority, template.channels,
    app_private.fill_template(template.title, null, null, null, null, jsonb_build_object('message', tell_of_webhook.name)),
    app_private.fill_template(template.body, null, null, null, null, jsonb_build_object('message', tell_of_webhook.name)),
    app_private.clock()
  from app_public.account
  join app_public.notification_template as template
    on template.event = 'webhook_switched_off' and template.audience = 'staff'
  where account.hospital_id = tell_of_webhook.hospital_id and account.role = 'admin' and account.is_active;
end
$$;

comment on function app_private.tell_of_webhook(uuid, text) is
  'Leaves a notification about a webhook that was switched off for the admins of a hospital.';

revoke execute on function app_private.tell_of_webhook(uuid, text) from public;
