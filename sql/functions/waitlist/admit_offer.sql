-- An offer is written only as it is: a seat that is held now, by an appointment of the very patient who
-- waits. The place on the waitlist is locked last of all, after appointment, patient, slot and day, and
-- whoever finds that it does not wait any more takes the held seat back with everything else.
create or replace function app_private.admit_offer() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  entry_status app_public.waitlist_status;
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  select waitlist_entry.status into entry_status
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = new.hospital_id
    and waitlist_entry.id = new.entry_id
    and waitlist_entry.patient_id = new.patient_id
  for no key update;
  if not found then
    perform app_private.refuse('waitlist_entry_not_found', jsonb_build_object('waitlist_entry_id', new.entry_id));
  elsif entry_status <> 'waiting' then
    perform app_private.refuse('no_longer_waiting',
      jsonb_build_object('waitlist_entry_id', new.entry_id, 'status', entry_status));
  end if;
  if not exists (
    select from app_public.appointment
    where appointment.hospital_id = new.hospital_id
      and appointment.id = new.appointment_id
      and appointment.patient_id = new.patient_id
      and appointment.doctor_id = new.doctor_id
      and appointment.slot_id = new.slot_id
      and appointment.status = 'held')
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  new.outcome := 'open';
  new.offered_at := app_private.clock();
  new.decided_at := null;
  return new;
end
$$;

comment on function app_private.admit_offer() is
  'Trigger: admits an offer of a held seat to a patient who waits, and nothing else.';

revoke execute on function app_private.admit_offer() from public;

create or replace trigger offer_is_admitted
  before insert on app_public.waitlist_offer
  for each row execute function app_private.admit_offer();
