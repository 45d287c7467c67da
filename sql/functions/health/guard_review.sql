-- The life of a review, for every client: it waits, somebody claims it, and whoever has it decides; what is
-- decided is final. Who and when come from the claims and the clock. Another admin takes a claimed one over
-- only by saying so: by naming themselves as the claimer. That a problem is gone by itself may be said from
-- any open state, but only through a column that no client is granted. Of two who claim at once the second
-- waits for the row and then finds it claimed. Definer, so that the refusal is the same for every role.
create or replace function app_private.guard_review() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  actor uuid := app_private.claim_account_id();
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status in ('resolved', 'dismissed') then
    perform app_private.refuse('illegal_review_transition',
      jsonb_build_object('review_item_id', old.id, 'from', old.status, 'to', new.status));
  end if;
  if new.is_settled then
    new.status := 'resolved';
    new.decided_at := instant;
    new.decided_by := null;
    return new;
  end if;
  if old.status = 'in_review' and new.status = 'in_review'
    and new.claimed_by is distinct from old.claimed_by and new.claimed_by is not distinct from actor
  then
    new.claimed_at := instant;
    return new;
  end if;
  if old.status = 'in_review' and old.claimed_by is distinct from actor and app_private.actor_role() <> 'operator' then
    perform app_private.refuse('review_item_claimed', jsonb_build_object(
      'review_item_id', old.id, 'claimed_by', old.claimed_by, 'claimed_at', old.claimed_at));
  end if;
  if (old.status, new.status) not in (
    ('pending', 'in_review'), ('in_review', 'in_review'), ('in_review', 'pending'), ('in_review', 'resolved'),
    ('in_review', 'dismissed'))
  then
    perform app_private.refuse('illegal_review_transition',
      jsonb_build_object('review_item_id', old.id, 'from', old.status, 'to', new.status));
  end if;

  if new.status = 'pending' then
    new.claimed_by := null;
    new.claimed_at := null;
  elsif old.status = 'pending' then
    new.claimed_by := actor;
    new.claimed_at := instant;
  else
    new.claimed_by := old.claimed_by;
    new.claimed_at := old.claimed_at;
  end if;
  if new.status in ('resolved', 'dismissed') then
    new.decided_by := actor;
    new.decided_at := instant;
  end if;
  return new;
end
$$;

comment on function app_private.guard_review() is
  'Trigger: lets a review be claimed, given back, taken over and decided, by whom and when.';

revoke execute on function app_private.guard_review() from public;

create or replace trigger review_has_one_life
  before update of status, claimed_by, note on app_public.review_item
  for each row execute function app_private.guard_review();
