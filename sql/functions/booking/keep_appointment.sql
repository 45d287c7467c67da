-- An appointment that holds a seat cannot be deleted: cancel it, and the seat is free. Otherwise a
-- slot would stay booked by nobody.
create or replace function app_private.keep_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if old.holds_seat then
    perform app_private.refuse('appointment_holds_a_seat', jsonb_build_object('appointment_id', old.id));
  end if;
  return old;
end
$$;

comment on function app_private.keep_appointment() is 'Trigger: refuses to delete an appointment that holds a seat.';

revoke execute on function app_private.keep_appointment() from public;

create or replace trigger appointment_with_a_seat_is_kept
  before delete on app_public.appointment
  for each row execute function app_private.keep_appointment();
