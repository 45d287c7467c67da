-- A lapsed hold of the patient that could not be expired is just being confirmed, cancelled or expired
-- by somebody who came in time. Whether it stands in the way is known in a moment; to wait for it at the
-- constraint, with a patient and slots in hand, could deadlock or end in an error without a scenario.
create or replace function app_private.guard_no_answer_under_way(wish app_public.appointment) returns void
language plpgsql
as $$
begin
  if exists (
    select from app_public.appointment
    where appointment.hospital_id = wish.hospital_id
      and appointment.patient_id = wish.patient_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
      and appointment.during && coalesce(wish.during, (
        select app_private.visit_time(wish.hospital_id, slot, wish.service_id)
        from app_public.slot
        where slot.hospital_id = wish.hospital_id and slot.id = wish.slot_id)))
  then
    perform app_private.refuse('try_again');
  end if;
end
$$;

comment on function app_private.guard_no_answer_under_way(app_public.appointment) is
  'Refuses to seat a patient while a lapsed hold of theirs for the same time is just being answered.';

revoke execute on function app_private.guard_no_answer_under_way(app_public.appointment) from public;
