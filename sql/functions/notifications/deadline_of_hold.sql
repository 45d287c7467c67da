-- Until when an answer is awaited, on the hospital's own clock: a fact of the templates that ask for one.
create or replace function app_private.deadline_of_hold(hold app_public.appointment) returns jsonb
language plpgsql stable
as $$
begin
  return (
    select jsonb_build_object('held_until', app_private.local_time(hold.held_until, hospital.time_zone))
    from app_public.hospital
    where hospital.id = hold.hospital_id);
end
$$;

comment on function app_private.deadline_of_hold(app_public.appointment) is
  'The fact {held_until} of a held appointment, in local time.';

revoke execute on function app_private.deadline_of_hold(app_public.appointment) from public;
