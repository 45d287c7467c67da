-- Why leaving reached no entry: there is none (or none that this caller may see), it has ended, or its
-- open offer is of a calendar that is not this caller's to change.
create or replace function app_private.refuse_unreachable_entry(hospital_id uuid, entry_id uuid)
returns void
language plpgsql stable
as $$
declare
  present app_public.waitlist_status;
begin
  select waitlist_entry.status into present
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = refuse_unreachable_entry.hospital_id
    and waitlist_entry.id = refuse_unreachable_entry.entry_id;
  perform app_private.refuse(
    case
      when present is null then 'waitlist_entry_not_found'
      when present in ('waiting', 'offered') then 'forbidden'
      else 'no_longer_waiting'
    end,
    jsonb_strip_nulls(jsonb_build_object('waitlist_entry_id', entry_id, 'status', present)));
end
$$;

comment on function app_private.refuse_unreachable_entry(uuid, uuid) is
  'Refuses with the reason why a place on the waitlist could not be left; never returns.';

revoke execute on function app_private.refuse_unreachable_entry(uuid, uuid) from public;
grant execute on function app_private.refuse_unreachable_entry(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
