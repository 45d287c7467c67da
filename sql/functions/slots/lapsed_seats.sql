-- Seats on which lapsed holds still sit, in one look for all doctors of a search; lapsed_holds is the
-- same for one doctor. There are few at any time: the sweeper comes every minute. It runs as the
-- owner and tells a slot and a time, never whose hold it is. The order is nobody's wish: it makes the
-- index of holds the best plan even while the table is empty.
create or replace function app_private.lapsed_seats(hospital_id uuid)
returns table (slot_id uuid, doctor_id uuid, starts_at timestamptz, counts_day boolean)
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return query
  select seat.slot_id, hold.doctor_id, hold.starts_at, seat.counts_day
  from (
    select appointment.id, appointment.slot_id, appointment.doctor_id, appointment.starts_at
    from app_public.appointment
    where appointment.hospital_id = lapsed_seats.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
    order by appointment.held_until
  ) as hold
  cross join lateral (
    select hold.slot_id, true as counts_day
    union all
    select appointment_seat.slot_id, false
    from app_public.appointment_seat
    where appointment_seat.hospital_id = lapsed_seats.hospital_id
      and appointment_seat.appointment_id = hold.id
  ) as seat;
end
$$;

comment on function app_private.lapsed_seats(uuid) is
  'Slots of the hospital''s lapsed holds, whose seats are free for whoever comes next; only the first slot of each counts in the doctor''s day.';

revoke execute on function app_private.lapsed_seats(uuid) from public;
grant execute on function app_private.lapsed_seats(uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
