-- Counters follow appointments and nothing else: only a statement run by another trigger (taking or
-- releasing a seat) may change them. A hand that writes a count itself is refused, whoever's it is.
-- The condition stands in the triggers' WHEN, so that the booking path never enters the function.
-- Repairs count anew: they run as the owner, whom nobody can log in as, under a setting of theirs.
create or replace function app_private.keep_counters() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('counter_is_derived', jsonb_build_object('table', tg_argv[0]));
  return null;
end
$$;

comment on function app_private.keep_counters() is 'Trigger: refuses a booked_count that does not come from an appointment.';

revoke execute on function app_private.keep_counters() from public;

create or replace trigger slot_starts_empty
  before insert on app_public.slot
  for each row when (new.booked_count <> 0)
  execute function app_private.keep_counters('slot');

create or replace trigger slot_count_follows_appointments
  before update of booked_count on app_public.slot
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> old.booked_count
    and (current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = ''))
  execute function app_private.keep_counters('slot');

create or replace trigger doctor_day_starts_empty
  before insert on app_public.doctor_day
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> 0
    and (current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = ''))
  execute function app_private.keep_counters('doctor_day');

create or replace trigger doctor_day_count_follows_appointments
  before update of booked_count on app_public.doctor_day
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> old.booked_count
    and (current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = ''))
  execute function app_private.keep_counters('doctor_day');
