-- One plain update under the caller's own rights; the table's trigger knows the rest. Who names the
-- claimer takes over what somebody else has; who does not is refused then. Claiming one's own again
-- changes nothing.
create or replace function app_public.claim_review_item(review_item_id uuid, take_over boolean default false)
returns app_public.review_item
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.review_item;
begin
  update app_public.review_item
  set status = 'in_review',
      claimed_by = case
        when take_over and review_item.status = 'in_review' then app_private.claim_account_id()
        else review_item.claimed_by
      end
  where review_item.hospital_id = hospital and review_item.id = review_item_id
  returning * into changed;
  if not found then
    perform app_private.refuse('review_item_not_found', jsonb_build_object('review_item_id', review_item_id));
  end if;
  return changed;
end
$$;

comment on function app_public.claim_review_item(uuid, boolean) is
  'Says that you look at a review. One that somebody else has is refused, unless you take it over. For admins.';

revoke execute on function app_public.claim_review_item(uuid, boolean) from public;
grant execute on function app_public.claim_review_item(uuid, boolean) to app_admin;
