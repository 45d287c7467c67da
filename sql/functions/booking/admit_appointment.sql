-- The door of the appointment table, for every client: who may enter, with which state, into which
-- seat. It runs as the owner, before row-level security looks at the row, so it repeats the two
-- walls that matter for what a refusal may tell: the hospital and the patient of the claims.
-- A request names a doctor and a time, whose length is never the client's to say; everything else
-- takes doctor, place and time from its slot. Only jobs and operators may bring a source or a time within
-- the slot, and only jobs hold a seat as long as an offer lasts. What an admin imports says so.
create or replace function app_private.admit_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  is_trusted boolean := actor in ('worker', 'operator');
  instant timestamptz := app_private.clock();
  is_offer boolean := actor = 'worker' and new.held_until is not null;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'patient' and new.patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.guard_transition(actor, null, new.status);

  new.source := coalesce(
    case when is_trusted or actor = 'admin' and new.source = 'import' then new.source end,
    case actor when 'patient' then 'patient' when 'operator' then 'import' else 'staff' end::app_public.appointment_source);
  new.created_by := app_private.claim_account_id();
  new.created_at := instant;
  new.updated_at := instant;
  new.held_until := null;

  if new.status = 'requested' then
    return app_private.admit_request(new);
  end if;
  if not is_trusted then
    new.doctor_id := null;
    new.location_id := null;
    new.during := null;
  end if;
  new := app_private.seat_appointment(new);
  if new.status = 'held' then
    new.held_until := app_private.held_until(new, is_offer);
  end if;
  return new;
end
$$;

comment on function app_private.admit_appointment() is
  'Trigger: admits a new appointment into its seat, or refuses it with its scenario.';

revoke execute on function app_private.admit_appointment() from public;

create or replace trigger appointment_is_admitted
  before insert on app_public.appointment
  for each row execute function app_private.admit_appointment();
