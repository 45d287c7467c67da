-- A completed consultation is added to by those who took part in it, and never changed.
create or replace function app_private.admit_addendum() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  amended app_public.consultation;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into amended
  from app_public.consultation
  where consultation.hospital_id = new.hospital_id and consultation.id = new.consultation_id;
  if not found then
    perform app_private.refuse('consultation_not_found', jsonb_build_object('consultation_id', new.consultation_id));
  end if;
  if actor <> 'operator' and not app_private.takes_part(new.hospital_id, new.consultation_id) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', new.consultation_id));
  end if;
  if amended.status <> 'completed' then
    perform app_private.refuse('consultation_not_completed',
      jsonb_build_object('consultation_id', new.consultation_id, 'status', amended.status));
  end if;
  new.patient_id := amended.patient_id;
  new.doctor_id := app_private.claim_doctor_id();
  new.added_by := app_private.claim_account_id();
  new.added_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_addendum() is
  'Trigger: lets those who took part add to a completed consultation.';

revoke execute on function app_private.admit_addendum() from public;

create or replace trigger addendum_is_admitted_once
  before insert on app_public.consultation_addendum
  for each row execute function app_private.admit_addendum();
