-- One plain update under the caller's own rights; the table's triggers know whose it is and carry the
-- decision to the finding, which is locked first, as whoever checks and repairs does.
create or replace function app_public.resolve_review_item(review_item_id uuid, note text)
returns app_public.review_item
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.review_item;
begin
  perform app_private.guard_input(jsonb_build_object(
    'note', case when coalesce(length(btrim(note)), 0) not between 1 and 2000 then 'is not 1 to 2000 characters long' end));
  perform app_private.lock_review(hospital, review_item_id);
  update app_public.review_item
  set status = 'resolved',
      note = btrim(resolve_review_item.note)
  where review_item.hospital_id = hospital and review_item.id = review_item_id
  returning * into changed;
  if not found then
    perform app_private.refuse('review_item_not_found', jsonb_build_object('review_item_id', review_item_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resolve_review_item(uuid, text) is
  'Says that a problem is resolved that you have claimed, with what was found and done. If a check still sees it, it comes back as a new review. For admins.';

revoke execute on function app_public.resolve_review_item(uuid, text) from public;
grant execute on function app_public.resolve_review_item(uuid, text) to app_admin;
