-- The hospitals where the time of a reminder has come for some visit since they were last looked at: one
-- look by index a hospital and offset, however many visits are stored. It may name one where nothing is
-- left to send, never miss one where there is.
-- Each look goes a quarter of an hour further back than the last one reached: a booking that was still
-- being written then is found now. Definer, because nobody reads the marks.
create or replace function app_private.hospitals_to_remind() returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return query
    select hospital.id
    from app_public.hospital
    left join app_private.reminder_mark on reminder_mark.hospital_id = hospital.id
    where exists (
      select from unnest(hospital.reminder_offsets) as given (span)
      cross join lateral (
        select from app_public.appointment
        where appointment.hospital_id = hospital.id
          and appointment.status in ('scheduled', 'confirmed')
          and appointment.starts_at > greatest(instant,
            coalesce(reminder_mark.reached_at, hospital.created_at) - interval '15 minutes' + app_private.absolute_span(given.span))
          and appointment.starts_at <= instant + app_private.absolute_span(given.span)
        limit 1) as due);
end
$$;

comment on function app_private.hospitals_to_remind() is
  'Hospitals with visits whose reminder may be due.';

revoke execute on function app_private.hospitals_to_remind() from public;
grant execute on function app_private.hospitals_to_remind() to app_worker;
