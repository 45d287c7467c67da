create or replace function app_private.hash_address(
  hospital_id uuid, channel app_public.delivery_channel, address text)
returns bytea
language sql stable parallel safe
return sha256(convert_to(hospital_id::text || '/' || channel::text || '/' || lower(address), 'UTF8'));

comment on function app_private.hash_address(uuid, app_public.delivery_channel, text) is
  'How an address is remembered that cannot be reached: not readable, and not the same in two hospitals.';

revoke execute on function app_private.hash_address(uuid, app_public.delivery_channel, text) from public;
