create or replace function app_private.mask_address(address text) returns text
language sql immutable parallel safe
return case
  when address like '%@%' then left(address, 1) || '***' || substring(address from '@[^@]*$')
  else '***' || right(address, 2)
end;

comment on function app_private.mask_address(text) is
  'Enough of an address for its owner to know it: the first letter and the domain, or the last two digits.';

revoke execute on function app_private.mask_address(text) from public;
