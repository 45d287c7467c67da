-- A visit that counts as missed comes back by undo_no_show alone, which says why; what else changes the
-- state of an appointment finds it ended. The reason is handed over as a setting of the transaction.
create or replace function app_private.guard_undo(actor text, visit app_public.appointment) returns void
language plpgsql stable
as $$
begin
  if visit.status = 'no_show' and actor <> 'operator'
    and coalesce(current_setting('slotkeeper.undo_reason', true), '') = ''
  then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', visit.status));
  end if;
end
$$;

comment on function app_private.guard_undo(text, app_public.appointment) is
  'Refuses to change the state of a missed visit other than by undoing that it was missed.';

revoke execute on function app_private.guard_undo(text, app_public.appointment) from public;
