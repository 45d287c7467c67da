-- The preference that counts for an event: its own goes before that of its group, and that before all.
create or replace function app_private.wants_channel(
  hospital_id uuid, account_id uuid, event text, channel app_public.delivery_channel)
returns boolean
language plpgsql stable
as $$
begin
  return (
    select preference.is_on
    from app_public.notification_preference as preference
    where preference.hospital_id = wants_channel.hospital_id
      and preference.account_id = wants_channel.account_id
      and preference.channel = wants_channel.channel
      and preference.topic in (event, app_private.event_group(event), 'all')
    order by preference.topic = event desc, preference.topic = 'all'
    limit 1);
end
$$;

comment on function app_private.wants_channel(uuid, uuid, text, app_public.delivery_channel) is
  'What an account has chosen for an event and a channel; null where it has chosen nothing.';

revoke execute on function app_private.wants_channel(uuid, uuid, text, app_public.delivery_channel) from public;
