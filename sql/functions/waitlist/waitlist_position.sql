-- For whoever may see the entry; an ended wait has no position.
create or replace function app_public.waitlist_position(entry_id uuid)
returns integer
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  entry app_public.waitlist_entry;
begin
  select * into entry
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = hospital and waitlist_entry.id = entry_id;
  if not found then
    perform app_private.refuse('waitlist_entry_not_found', jsonb_build_object('waitlist_entry_id', entry_id));
  elsif entry.status not in ('waiting', 'offered') then
    return null;
  end if;
  return app_private.waits_before(hospital, entry) + 1;
end
$$;

comment on function app_public.waitlist_position(uuid) is
  'The place in the queue of those who wait for the same doctor or the same specialty: 1 is the first; null when the wait has ended.';

revoke execute on function app_public.waitlist_position(uuid) from public;
grant execute on function app_public.waitlist_position(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
