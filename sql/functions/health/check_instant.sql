-- The clock of the rules, but at this very moment: a long run looks at each check at another time, and
-- what an event has resolved meanwhile must not be opened again by what was seen before.
create or replace function app_private.check_instant()
returns timestamptz
language plpgsql volatile
as $$
begin
  return app_private.clock() + (clock_timestamp() - now());
end
$$;

comment on function app_private.check_instant() is 'The present instant as the rules see it, also within a long transaction.';

revoke execute on function app_private.check_instant() from public;
