-- A minute, then two, four, up to an hour; between half and one and a half times that, so that what
-- failed together is not tried together.
create or replace function app_private.retry_pause(attempts integer) returns interval
language sql volatile
return least(interval '1 minute' * power(2, least(greatest(attempts, 1), 10) - 1), interval '1 hour')
  * (0.5 + random());

comment on function app_private.retry_pause(integer) is 'How long to wait after so many failed attempts, with a share of chance.';

revoke execute on function app_private.retry_pause(integer) from public;
