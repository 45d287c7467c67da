create or replace function app_private.claim_session_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.session_id', true), '')::uuid;

comment on function app_private.claim_session_id() is 'Session of the request, or null.';

revoke execute on function app_private.claim_session_id() from public;
