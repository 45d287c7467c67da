-- From where a request comes, as its server saw it: a network, never a whole address, and what the client
-- said of itself, shortened by the server and once more here.
create or replace function app_private.claim_ip_prefix() returns text
language sql stable parallel safe
return left(nullif(current_setting('claims.ip_prefix', true), ''), 50);

create or replace function app_private.claim_device() returns text
language sql stable parallel safe
return left(nullif(current_setting('claims.device', true), ''), 120);

comment on function app_private.claim_ip_prefix() is 'Network from which the request comes, or null.';
comment on function app_private.claim_device() is 'What the request''s client said of itself, or null.';

revoke execute on function app_private.claim_ip_prefix(), app_private.claim_device() from public;
