-- Of the doctors whose seats may have become free, those whom somebody waits for: one statement for all
-- messages of a batch. A doctor costs two looks into the indexes of who waits, each for the first of them:
-- asked whether there is any, the planner may prefer to read the whole table. A whole hospital (no doctor
-- named) is asked from the side of its waitlist, so that one without pays nothing.
create or replace function app_private.doctors_waited_for(hospital_ids uuid[], doctor_ids uuid[])
returns table (hospital_id uuid, doctor_id uuid)
language plpgsql stable rows 10
as $$
begin
  return query
  select doctor.hospital_id, doctor.id
  from unnest(hospital_ids, doctor_ids) as freed (hospital_id, doctor_id)
  join app_public.doctor on doctor.hospital_id = freed.hospital_id and doctor.id = freed.doctor_id
  where doctor.is_active and doctor.is_available
    and (
      (
        select of_doctor.id
        from app_public.waitlist_entry as of_doctor
        where of_doctor.hospital_id = doctor.hospital_id
          and of_doctor.doctor_id = doctor.id
          and of_doctor.status = 'waiting'
        order by of_doctor.id
        limit 1) is not null
      or (
        select of_specialty.id
        from app_public.waitlist_entry as of_specialty
        where of_specialty.hospital_id = doctor.hospital_id
          and of_specialty.specialty = doctor.specialty
          and of_specialty.status = 'waiting'
        order by of_specialty.id
        limit 1) is not null)
  union
  select doctor.hospital_id, doctor.id
  from unnest(hospital_ids, doctor_ids) as freed (hospital_id, doctor_id)
  cross join lateral (
    select distinct waitlist_entry.doctor_id, waitlist_entry.specialty
    from app_public.waitlist_entry
    where waitlist_entry.hospital_id = freed.hospital_id and waitlist_entry.status = 'waiting'
  ) as wished
  join app_public.doctor
    on doctor.hospital_id = freed.hospital_id
    and (doctor.id = wished.doctor_id or doctor.specialty = wished.specialty)
    and doctor.is_active and doctor.is_available
  where freed.doctor_id is null;
end
$$;

comment on function app_private.doctors_waited_for(uuid[], uuid[]) is
  'Of these doctors (hospital by hospital; no doctor: all of the hospital), those whom somebody waits for.';

revoke execute on function app_private.doctors_waited_for(uuid[], uuid[]) from public;
grant execute on function app_private.doctors_waited_for(uuid[], uuid[]) to app_worker;
