-- A problem that is gone needs no review, whoever has claimed it. In the order of ids, so that two who
-- settle at once do not wait for each other.
create or replace function app_private.settle_review(
  hospital_id uuid, finding_ids uuid[], note text default 'The problem is gone.')
returns void
language plpgsql volatile
as $$
begin
  perform from app_public.review_item
  where review_item.hospital_id = settle_review.hospital_id
    and review_item.finding_id = any (finding_ids)
    and review_item.status in ('pending', 'in_review')
  order by review_item.id
  for no key update;
  update app_public.review_item
  set status = 'resolved',
      is_settled = true,
      note = settle_review.note
  where review_item.hospital_id = settle_review.hospital_id
    and review_item.finding_id = any (finding_ids)
    and review_item.status in ('pending', 'in_review');
end
$$;

comment on function app_private.settle_review(uuid, uuid[], text) is
  'Closes the open reviews of findings that are resolved, or that nobody has to look at any more.';

revoke execute on function app_private.settle_review(uuid, uuid[], text) from public;
