-- The other end of report_change: what the statement just before did to the calendar.
create or replace function app_private.reported_change()
returns app_public.calendar_change
language plpgsql stable
as $$
begin
  return jsonb_populate_record(null::app_public.calendar_change, current_setting('calendar.change')::jsonb);
end
$$;

comment on function app_private.reported_change() is 'What the last trigger of this transaction did to the calendar.';

revoke execute on function app_private.reported_change() from public;
grant execute on function app_private.reported_change() to app_doctor, app_receptionist, app_admin;
