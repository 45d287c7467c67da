-- A trigger that changes the calendar has no answer of its own to give; what it did is left here, for
-- the function that caused it to read in the same transaction. Counting again afterwards would count
-- what others did meanwhile, and could not know the states before.
create or replace function app_private.report_change(change app_public.calendar_change)
returns void
language plpgsql
as $$
begin
  perform set_config('calendar.change', to_jsonb(change)::text, true);
end
$$;

comment on function app_private.report_change(app_public.calendar_change) is
  'Leaves what a trigger did to the calendar for the rest of the transaction.';

revoke execute on function app_private.report_change(app_public.calendar_change) from public;
