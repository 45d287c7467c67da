create or replace function app_private.guard_preference() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.topic not in ('appointments', 'requests', 'waitlist', 'reminders', 'security', 'work', 'all')
    and not exists (select from app_public.notification_template where notification_template.event = new.topic)
  then
    perform app_private.refuse('unknown_notification_topic', jsonb_build_object('topic', new.topic));
  end if;
  if new.channel = 'in_app' or not new.is_on and app_private.is_essential(new.topic) then
    perform app_private.refuse('notification_is_essential',
      jsonb_build_object('topic', new.topic, 'channel', new.channel));
  end if;
  new.changed_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.guard_preference() is
  'Trigger: refuses topics that nobody is told of, and switching off what nobody can.';

revoke execute on function app_private.guard_preference() from public;

create or replace trigger preference_is_possible
  before insert or update on app_public.notification_preference
  for each row execute function app_private.guard_preference();
