-- Whom the audit names: a repair by the check that asked for it, whoever set it off; else who acts. The
-- setting lives for one transaction, and no client can set it.
create or replace function app_private.audited_role() returns text
language sql stable parallel safe
return coalesce('repair:' || nullif(current_setting('slotkeeper.repair', true), ''), app_private.actor_role());

comment on function app_private.audited_role() is 'Who acts, for the audit: a role, or repair:<check>.';

revoke execute on function app_private.audited_role() from public;
