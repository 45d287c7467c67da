-- Every try to tell another system comes into the log: what it answered and how long it took, never what it
-- was told. A try that was given back without being made is none. Definer, because no role may write the
-- log.
create or replace function app_private.log_webhook() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_public.log_entry (
    hospital_id, kind, level, name, outcome, code, duration_ms, actor_role, entity_type, entity_id, message, details)
  values (
    new.hospital_id, 'webhook',
    case new.status when 'delivered' then 'info' when 'failed' then 'error' else 'warning' end::app_public.log_level,
    new.event, case new.status when 'delivered' then 'succeeded' else 'failed' end,
    new.last_status_code::text, new.duration_ms, 'worker', 'webhook_delivery', new.id,
    case new.status
      when 'delivered' then format('%s was delivered.', new.event)
      when 'failed' then format('%s was given up at try %s.', new.event, new.attempts)
      else format('%s was not taken at try %s; it is tried again.', new.event, new.attempts)
    end,
    jsonb_strip_nulls(jsonb_build_object(
      'subscription_id', new.subscription_id, 'event_id', new.event_id, 'attempts', new.attempts,
      'status_code', new.last_status_code)));
  return null;
end
$$;

comment on function app_private.log_webhook() is 'Trigger: writes a try of a webhook to the log.';

revoke execute on function app_private.log_webhook() from public;

create or replace trigger webhook_that_was_tried_is_logged
  after update of status on app_public.webhook_delivery
  for each row when (old.status = 'sending' and new.status <> 'sending' and new.attempts >= old.attempts)
  execute function app_private.log_webhook();
