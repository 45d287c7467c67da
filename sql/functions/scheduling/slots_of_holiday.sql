-- The slots that a holiday closes: those of its local days in the whole hospital, as far as they are
-- still ahead, by one short range of the index of each doctor.
create or replace function app_private.slots_of_holiday(hospital_id uuid, date date, is_recurring boolean)
returns uuid[]
language plpgsql stable
as $$
begin
  return array(
    select seat.id
    from app_private.days_of_holiday(slots_of_holiday.hospital_id, slots_of_holiday.date, slots_of_holiday.is_recurring) as holiday
    join app_public.hospital on hospital.id = slots_of_holiday.hospital_id
    join app_public.doctor on doctor.hospital_id = slots_of_holiday.hospital_id
    cross join lateral (
      select slot.id
      from app_public.slot
      where slot.hospital_id = slots_of_holiday.hospital_id
        and slot.doctor_id = doctor.id
        and slot.starts_at >= holiday.day::timestamp at time zone hospital.time_zone
        and slot.starts_at < (holiday.day + 1)::timestamp at time zone hospital.time_zone
        and slot.ends_at > lower(holiday.during)
        and slot.withdrawn_at is null
        and slot.holiday_id is null
      offset 0
    ) as seat);
end
$$;

comment on function app_private.slots_of_holiday(uuid, date, boolean) is 'Slots ahead that a holiday closes.';

revoke execute on function app_private.slots_of_holiday(uuid, date, boolean) from public;
grant execute on function app_private.slots_of_holiday(uuid, date, boolean) to app_receptionist, app_admin;
