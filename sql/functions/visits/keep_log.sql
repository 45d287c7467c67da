-- What has happened is not rewritten: rows of the logs of a visit come from triggers, change once (a
-- no-show is undone, a block ends, a text is erased) and never go.
create or replace function app_private.keep_log() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('log_follows_what_happened', jsonb_build_object('table', tg_argv[0]));
  return null;
end
$$;

comment on function app_private.keep_log() is 'Trigger: refuses to write into a log by hand.';

revoke execute on function app_private.keep_log() from public;

create or replace trigger what_happened_writes_the_no_show_log
  before insert or delete on app_public.no_show_log
  for each row when (pg_trigger_depth() = 0 and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_log('no_show_log');

create or replace trigger what_happened_changes_the_no_show_log
  before update on app_public.no_show_log
  for each row when (
    new is distinct from old
    and pg_trigger_depth() = 0 and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_log('no_show_log');

create or replace trigger what_happened_writes_the_patient_block
  before insert or delete on app_public.patient_block
  for each row when (pg_trigger_depth() = 0 and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_log('patient_block');

create or replace trigger what_happened_changes_the_patient_block
  before update on app_public.patient_block
  for each row when (
    new is distinct from old
    and pg_trigger_depth() = 0 and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_log('patient_block');
