-- Counts of missed visits follow the log and nothing else: only a statement run by another trigger
-- (record_no_show, change_patient_status) may change them. A repair counts anew; see keep_counters.
create or replace function app_private.keep_no_show_counts() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('counter_is_derived', jsonb_build_object('table', 'patient'));
  return null;
end
$$;

comment on function app_private.keep_no_show_counts() is 'Trigger: refuses a count of missed visits that somebody writes by hand.';

revoke execute on function app_private.keep_no_show_counts() from public;

create or replace trigger patient_starts_without_no_shows
  before insert on app_public.patient
  for each row when (new.no_show_count <> 0 or new.no_shows_forgiven <> 0)
  execute function app_private.keep_no_show_counts();

create or replace trigger patient_counts_follow_the_log
  before update of no_show_count, no_shows_forgiven on app_public.patient
  for each row when (
    pg_trigger_depth() = 0
    and (current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = '')
    and (new.no_show_count, new.no_shows_forgiven) is distinct from (old.no_show_count, old.no_shows_forgiven))
  execute function app_private.keep_no_show_counts();
