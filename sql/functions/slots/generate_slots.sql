-- For admins who do not want to wait for the night: the same generation, in their own hospital.
create or replace function app_public.generate_slots(first_day date, last_day date, doctor_id uuid default null)
returns integer
language plpgsql volatile
as $$
begin
  if last_day < first_day or last_day - first_day > 366 then
    perform app_private.refuse('invalid_range', jsonb_build_object('first_day', first_day, 'last_day', last_day));
  end if;
  return app_private.cut_slots(app_private.request_hospital_id(), first_day, last_day, doctor_id);
end
$$;

comment on function app_public.generate_slots(date, date, uuid) is
  'Generates the missing slots from schedules on the local days from the first to the last, of one doctor or of all; returns how many. Repeating it changes nothing. For admins.';

revoke execute on function app_public.generate_slots(date, date, uuid) from public;
grant execute on function app_public.generate_slots(date, date, uuid) to app_admin;
