-- Why leaving reached no entry: there is none (or none that this caller may see), it has ended, or its
-- open offer is of a calendar that is not this caller's to change.
create or replace function app_private.refuse_unreachable_entry(hospital_id uuid, entry_id uuid)
returns void
language plpgsql stable
as $$
declare
  present record;
begin
  select waitlist_entry.status, waitlist_entry.ended_at is not null as has_ended into present
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = refuse_unreachable_entry.hospital_id
    and waitlist_entry.id = refuse_unreachable_entry.entry_id;
  perform app_private.refuse(
    case
      when present.has_ended then 'no_longer_waiting'
      when not present.has_ended then 'forbidden'
      else 'waitlist_entry_not_found'
    end,
    jsonb_strip_nulls(jsonb_build_object('waitlist_entry_id', entry_id, 'status', present.status)));
end
$$;

comment on function app_private.refuse_unreachable_entry(uuid, uuid) is
  'Refuses with the reason why a place on the waitlist could not be left; never returns.';

revoke execute on function app_private.refuse_unreachable_entry(uuid, uuid) from public;
grant execute on function app_private.refuse_unreachable_entry(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
