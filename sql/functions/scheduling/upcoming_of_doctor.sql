-- What stands in the way of a doctor who stops: appointments and open requests still ahead; for one who
-- leaves altogether also the patients who are checked in or in the room (of the last day: a visit that
-- was never completed does not bind a doctor for ever). A visit whose time has come and that nobody
-- checked in is not ahead any more.
create or replace function app_private.upcoming_of_doctor(
  hospital_id uuid, doctor_id uuid, is_leaving boolean, with_alternatives boolean default true)
returns app_public.affected_appointment[]
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return array(
    select visit
    from app_private.find_affected(
      upcoming_of_doctor.hospital_id, upcoming_of_doctor.doctor_id,
      tstzrange(case when is_leaving then instant - interval '1 day' else instant end, null), with_alternatives) as visit
    where case when visit.status in ('checked_in', 'in_progress') then is_leaving else visit.starts_at > instant end);
end
$$;

comment on function app_private.upcoming_of_doctor(uuid, uuid, boolean, boolean) is
  'Appointments and open requests of a doctor that are still to come; of one who leaves also those under way.';

revoke execute on function app_private.upcoming_of_doctor(uuid, uuid, boolean, boolean) from public;
grant execute on function app_private.upcoming_of_doctor(uuid, uuid, boolean, boolean)
  to app_doctor, app_receptionist, app_admin;
