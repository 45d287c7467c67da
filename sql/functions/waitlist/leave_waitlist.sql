-- The open offer first, if there is one: its seat is freed by cancelling the held appointment under the
-- caller's own rights, and the entry waits again for a moment. The appointment is locked before the
-- entry, as by every answer. An offer can come or be answered between two looks, so there are some; what
-- the patient has confirmed meanwhile is never cancelled.
create or replace function app_public.leave_waitlist(entry_id uuid)
returns app_public.waitlist_entry
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  offered_id uuid;
  ended app_public.waitlist_entry;
begin
  for look in 1 .. 3 loop
    select waitlist_offer.appointment_id into offered_id
    from app_public.waitlist_offer
    where waitlist_offer.hospital_id = hospital
      and waitlist_offer.entry_id = leave_waitlist.entry_id
      and waitlist_offer.outcome = 'open';
    update app_public.appointment
    set status = 'cancelled'
    where appointment.hospital_id = hospital and appointment.id = offered_id and appointment.status = 'held';

    update app_public.waitlist_entry
    set status = 'cancelled'
    where waitlist_entry.hospital_id = hospital
      and waitlist_entry.id = leave_waitlist.entry_id
      and waitlist_entry.status = 'waiting'
    returning * into ended;
    if found then
      return ended;
    end if;
  end loop;
  perform app_private.refuse_unreachable_entry(hospital, entry_id);
  return null;
end
$$;

comment on function app_public.leave_waitlist(uuid) is
  'Ends a wait. A seat that is held as an open offer is freed with it.';

revoke execute on function app_public.leave_waitlist(uuid) from public;
grant execute on function app_public.leave_waitlist(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
