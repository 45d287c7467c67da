-- What a repair did is told by the log, which it wrote in this transaction; volatile, to see that. What
-- was busy has been left as it was.
create or replace function app_private.describe_repair(finding app_public.finding)
returns app_public.finding_repair
language plpgsql volatile
as $$
declare
  told app_public.finding_repair;
  is_with_people boolean := exists (
    select from app_public.review_item
    where review_item.hospital_id = finding.hospital_id and review_item.finding_id = finding.id
      and review_item.status in ('pending', 'in_review'));
begin
  told.finding_id := finding.id;
  told.check_name := finding.check_name;
  told.entity_type := finding.entity_type;
  told.entity_id := finding.entity_id;
  told.outcome := (case
    when finding.resolved_at is not null then 'repaired'
    when is_with_people then 'needs_a_person'
    else 'failed'
  end)::app_public.repair_outcome;
  told.message := case
    when finding.resolved_at is null then coalesce(finding.repair_error, 'It is in use at this moment. Try again.')
    else coalesce(
      (select log_entry.message from app_public.log_entry
       where log_entry.hospital_id = finding.hospital_id and log_entry.entity_id = finding.entity_id
         and log_entry.kind = 'repair' and log_entry.name = finding.check_name
       order by log_entry.id desc limit 1),
      'The problem is gone.')
  end;
  return told;
end
$$;

comment on function app_private.describe_repair(app_public.finding) is 'What became of a finding that a repair was tried on.';

revoke execute on function app_private.describe_repair(app_public.finding) from public;
