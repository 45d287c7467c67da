-- '1 day' added to an instant follows the clocks of the session's zone; this many seconds do not.
create or replace function app_private.absolute_span(span interval) returns interval
language sql immutable parallel safe
return make_interval(secs => extract(epoch from span)::double precision);

comment on function app_private.absolute_span(interval) is 'The same span in absolute time: a day is 24 hours.';

revoke execute on function app_private.absolute_span(interval) from public;
grant execute on function app_private.absolute_span(interval) to app_worker;
