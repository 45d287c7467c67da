-- What was asked, as a hash: the same key with another fingerprint is another request. JSON keeps
-- null apart from empty and one argument from the next.
create or replace function app_private.request_fingerprint(variadic parts text[]) returns text
language sql immutable parallel safe
return encode(sha256(convert_to(to_jsonb(parts)::text, 'UTF8')), 'hex');

comment on function app_private.request_fingerprint(text[]) is 'SHA-256 of an operation and its arguments, in hexadecimal.';

revoke execute on function app_private.request_fingerprint(text[]) from public;
grant execute on function app_private.request_fingerprint(text[])
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
