-- One plain update under the caller's own rights; the table's trigger knows whose it is.
create or replace function app_public.release_review_item(review_item_id uuid)
returns app_public.review_item
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.review_item;
begin
  update app_public.review_item
  set status = 'pending'
  where review_item.hospital_id = hospital and review_item.id = review_item_id
  returning * into changed;
  if not found then
    perform app_private.refuse('review_item_not_found', jsonb_build_object('review_item_id', review_item_id));
  end if;
  return changed;
end
$$;

comment on function app_public.release_review_item(uuid) is
  'Gives a review back that you have claimed, for somebody else to look at. For admins.';

revoke execute on function app_public.release_review_item(uuid) from public;
grant execute on function app_public.release_review_item(uuid) to app_admin;
