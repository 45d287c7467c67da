-- The same generation as every night, for one day of one doctor: in turn with everything else that
-- writes this calendar, beside bookings, and without effect where nothing is missing.
create or replace function app_private.repair_missing_slots(finding app_public.finding)
returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  day date := (finding.metadata ->> 'day')::date;
  generated integer;
begin
  generated := app_private.cut_slots(finding.hospital_id, day, day, finding.entity_id);
  if generated = 0 then
    return 'Nothing to do: no slot is missing on this day.';
  end if;
  return format('Generated %s slots.', generated);
end
$$;

comment on function app_private.repair_missing_slots(app_public.finding) is 'Generates the missing slots of a doctor''s day.';

revoke execute on function app_private.repair_missing_slots(app_public.finding) from public;
