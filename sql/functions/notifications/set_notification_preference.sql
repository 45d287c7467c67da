-- One's own: row-level security lets nobody write for another account.
create or replace function app_public.set_notification_preference(
  topic text, channel app_public.delivery_channel, is_on boolean)
returns app_public.notification_preference
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  chosen app_public.notification_preference;
begin
  insert into app_public.notification_preference as preference (hospital_id, account_id, topic, channel, is_on)
  values (hospital, app_private.claim_account_id(), set_notification_preference.topic,
    set_notification_preference.channel, set_notification_preference.is_on)
  on conflict on constraint notification_preference_pkey do update
  set is_on = excluded.is_on
  returning * into chosen;
  return chosen;
end
$$;

comment on function app_public.set_notification_preference(text, app_public.delivery_channel, boolean) is
  'Chooses whether you are told of an event, or of a group of events, by a channel. Emergencies and the safety of your account cannot be switched off.';

revoke execute on function app_public.set_notification_preference(text, app_public.delivery_channel, boolean) from public;
grant execute on function app_public.set_notification_preference(text, app_public.delivery_channel, boolean)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
