create or replace function app_public.review_emergency_access(
  emergency_access_id uuid, verdict app_public.emergency_verdict, note text default null)
returns app_public.emergency_access
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.emergency_access;
begin
  perform app_private.guard_input(jsonb_build_object(
    'verdict', case when verdict is null then 'is missing' end,
    'note', case when length(note) > 2000 then 'has more than 2000 characters' end));
  update app_public.emergency_access
  set verdict = review_emergency_access.verdict, review_note = note
  where emergency_access.hospital_id = hospital and emergency_access.id = emergency_access_id
  returning * into changed;
  if not found then
    perform app_private.refuse(
      'emergency_access_not_found', jsonb_build_object('emergency_access_id', emergency_access_id));
  end if;
  return changed;
end
$$;

comment on function app_public.review_emergency_access(uuid, app_public.emergency_verdict, text) is
  'Says whether an emergency access was justified; once, and never of one''s own. For admins.';

revoke execute on function app_public.review_emergency_access(uuid, app_public.emergency_verdict, text) from public;
grant execute on function app_public.review_emergency_access(uuid, app_public.emergency_verdict, text) to app_admin;
