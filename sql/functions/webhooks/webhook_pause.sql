-- 5 seconds, 1, 5 and 30 minutes, 2, 8 and 24 hours, each up to a fifth more or less, so that what failed
-- together does not come back together.
create or replace function app_private.webhook_pause(attempts integer)
returns interval
language sql volatile
as $$
  select (array['5 seconds', '1 minute', '5 minutes', '30 minutes', '2 hours', '8 hours', '24 hours']::interval[])[
    least(greatest(attempts, 1), 7)] * (0.8 + 0.4 * random());
$$;

comment on function app_private.webhook_pause(integer) is 'How long to wait after so many tries of a webhook.';

revoke execute on function app_private.webhook_pause(integer) from public;
