-- Why a visit is marked as missed: what mark_no_show was told, handed over as a setting of the
-- transaction; else it follows from who acts.
create or replace function app_private.no_show_reason(actor text) returns app_public.no_show_reason
language sql stable
return coalesce(
  nullif(current_setting('slotkeeper.no_show_reason', true), ''),
  case actor when 'worker' then 'auto_timeout' when 'doctor' then 'manual_doctor' else 'manual_staff' end
)::app_public.no_show_reason;

comment on function app_private.no_show_reason(text) is 'Why a visit is being marked as missed.';

revoke execute on function app_private.no_show_reason(text) from public;
