-- How many came before. A patient may not see the others, so it runs as the owner; it tells a count and
-- nothing else. The index of who waits is read up to the entry itself, not beyond.
create or replace function app_private.waits_before(hospital_id uuid, entry app_public.waitlist_entry)
returns integer
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return (
    select count(*)
    from app_public.waitlist_entry
    where waitlist_entry.hospital_id = waits_before.hospital_id
      and waitlist_entry.status = 'waiting'
      and (waitlist_entry.doctor_id = entry.doctor_id or waitlist_entry.specialty = entry.specialty)
      and waitlist_entry.id < entry.id);
end
$$;

comment on function app_private.waits_before(uuid, app_public.waitlist_entry) is
  'How many patients who wait for the same doctor or specialty came before this entry.';

revoke execute on function app_private.waits_before(uuid, app_public.waitlist_entry) from public;
grant execute on function app_private.waits_before(uuid, app_public.waitlist_entry)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
