-- A problem that is gone needs no review, whoever has claimed it.
create or replace function app_private.settle_review(hospital_id uuid, finding_ids uuid[])
returns void
language plpgsql volatile
as $$
begin
  update app_public.review_item
  set status = 'resolved',
      decided_at = app_private.clock(),
      note = 'The problem is gone.'
  where review_item.hospital_id = settle_review.hospital_id
    and review_item.finding_id = any (finding_ids)
    and review_item.status in ('pending', 'in_review');
end
$$;

comment on function app_private.settle_review(uuid, uuid[]) is 'Closes the open reviews of findings that are resolved.';

revoke execute on function app_private.settle_review(uuid, uuid[]) from public;
