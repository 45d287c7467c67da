-- The doctor of an open consultation removes others from it, never oneself; who took part in one that has
-- ended, did. The log keeps that they were there.
create or replace function app_private.guard_participant_leave() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  left_one app_public.consultation;
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  select * into left_one
  from app_public.consultation
  where consultation.hospital_id = old.hospital_id and consultation.id = old.consultation_id
  for no key update;
  if actor <> 'operator' and (actor <> 'doctor' or left_one.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', old.consultation_id));
  end if;
  if left_one.status in ('completed', 'abandoned') then
    perform app_private.refuse('consultation_is_final',
      jsonb_build_object('consultation_id', left_one.id, 'status', left_one.status));
  end if;
  if old.role = 'primary' then
    perform app_private.refuse('one_primary_doctor', jsonb_build_object('doctor_id', old.doctor_id));
  end if;
  return old;
end
$$;

comment on function app_private.guard_participant_leave() is
  'Trigger: lets the doctor of an open consultation remove others.';

revoke execute on function app_private.guard_participant_leave() from public;

create or replace trigger participant_leaves_an_open_consultation
  before delete on app_public.consultation_participant
  for each row execute function app_private.guard_participant_leave();
