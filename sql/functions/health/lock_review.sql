-- Whoever decides a review decides about its finding too. Checks and repairs lock a finding before its
-- review, so people do as well; otherwise the two could wait for each other. Definer, because nobody who
-- asks may lock findings; it tells nothing and locks in the hospital of the claims only.
create or replace function app_private.lock_review(hospital_id uuid, review_item_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  perform from app_public.finding
  where finding.hospital_id = lock_review.hospital_id
    and finding.id = (
      select review_item.finding_id from app_public.review_item
      where review_item.hospital_id = lock_review.hospital_id and review_item.id = lock_review.review_item_id)
  for no key update;
end
$$;

comment on function app_private.lock_review(uuid, uuid) is 'Locks the finding of a review, before the review itself.';

revoke execute on function app_private.lock_review(uuid, uuid) from public;
grant execute on function app_private.lock_review(uuid, uuid) to app_admin;
