-- A block has a time, a reason and a row of its own in patient_block, whoever sets it. Unblocking starts
-- a new count towards the threshold: what was missed before is forgiven, not forgotten. The reason of an
-- unblocking is handed over as a setting of the transaction (unblock_patient).
create or replace function app_private.change_patient_status() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
  is_automatic boolean := pg_trigger_depth() > 1;
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if new.status = 'blocked' then
    new.blocked_at := coalesce(new.blocked_at, instant);
    if new.blocked_reason is not null then
      insert into app_public.patient_block (hospital_id, patient_id, reason, is_automatic, blocked_by, blocked_at)
      values (new.hospital_id, new.id, new.blocked_reason, is_automatic,
        case when not is_automatic then app_private.claim_account_id() end, new.blocked_at);
    end if;
  else
    new.blocked_at := null;
    new.blocked_reason := null;
    if not is_automatic then
      new.no_shows_forgiven := new.no_show_count;
      update app_public.no_show_log
      set is_forgiven = true
      where no_show_log.hospital_id = old.hospital_id
        and no_show_log.patient_id = old.id
        and no_show_log.undone_at is null;
    end if;
    update app_public.patient_block
    set unblocked_at = greatest(instant, patient_block.blocked_at),
        unblocked_by = app_private.claim_account_id(),
        unblock_reason = nullif(current_setting('slotkeeper.unblock_reason', true), '')
    where patient_block.hospital_id = old.hospital_id
      and patient_block.patient_id = old.id
      and patient_block.unblocked_at is null;
  end if;
  return new;
end
$$;

comment on function app_private.change_patient_status() is
  'Trigger: completes a block or an unblocking of a patient and writes it down.';

revoke execute on function app_private.change_patient_status() from public;

create or replace trigger patient_status_is_written_down
  before update of status on app_public.patient
  for each row when (new.status <> old.status)
  execute function app_private.change_patient_status();
