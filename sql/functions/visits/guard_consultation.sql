-- What may change in a consultation, for every client: nothing once it has ended, but for the redaction of
-- an erased person; before that, its doctor writes. Completing asks for everything that is missing at
-- once, in the same statement that completes. Two who write at once come in turn at the row, and the
-- second sees what the first has left, also that it ended; having begun earlier, it still ends later.
create or replace function app_private.guard_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  missing text[];
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if old.status in ('completed', 'abandoned') then
    if to_jsonb(new) = app_private.redacted_state('consultation', to_jsonb(old)) and exists (
        select from app_public.patient
        where patient.hospital_id = old.hospital_id and patient.id = old.patient_id and patient.erased_at is not null)
    then
      return new;
    end if;
    perform app_private.refuse('consultation_is_final',
      jsonb_build_object('consultation_id', old.id, 'status', old.status));
  end if;
  if actor <> 'operator' and (actor <> 'doctor' or old.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', old.id));
  end if;

  if new.status = 'completed' then
    missing := array_remove(array[
      case when new.chief_complaint is null then 'chief_complaint' end,
      case when cardinality(new.diagnosis) = 0 then 'diagnosis' end], null);
    if cardinality(missing) > 0 then
      perform app_private.refuse('consultation_incomplete',
        jsonb_build_object('consultation_id', old.id, 'missing', missing));
    end if;
  elsif new.status <> 'abandoned' then
    new.status := 'in_progress';
  end if;
  new.updated_at := greatest(app_private.clock(), old.updated_at);
  new.ended_at := case when new.status in ('completed', 'abandoned') then new.updated_at end;
  return new;
end
$$;

comment on function app_private.guard_consultation() is
  'Trigger: lets the doctor of an open consultation change, complete and abandon it.';

revoke execute on function app_private.guard_consultation() from public;

create or replace trigger consultation_is_kept_once_it_ended
  before update on app_public.consultation
  for each row execute function app_private.guard_consultation();
