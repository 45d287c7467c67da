-- What was added stays as it was added, for everybody, but for the redaction of an erased person.
create or replace function app_private.keep_addendum() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and exists (
      select from app_public.patient
      where patient.hospital_id = old.hospital_id and patient.id = old.patient_id and patient.erased_at is not null)
    and to_jsonb(new) = app_private.redacted_state('consultation_addendum', to_jsonb(old))
  then
    return new;
  end if;
  perform app_private.refuse('consultation_is_final',
    jsonb_build_object('consultation_id', old.consultation_id, 'status', 'completed'));
  return null;
end
$$;

comment on function app_private.keep_addendum() is 'Trigger: refuses update and delete of addenda.';

revoke execute on function app_private.keep_addendum() from public;

create or replace trigger addendum_is_never_changed
  before update or delete on app_public.consultation_addendum
  for each row execute function app_private.keep_addendum();
