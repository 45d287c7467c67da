-- Null means all. An empty list is refused: who chose nothing does not mean everything.
create or replace function app_private.guard_check_names(check_names text[]) returns void
language plpgsql stable
as $$
declare
  unknown text[];
begin
  if check_names is null then
    return;
  end if;
  if cardinality(check_names) = 0 then
    perform app_private.refuse('invalid_input',
      jsonb_build_object('check_names', 'Name at least one check, or leave it out for all.'));
  end if;

  unknown := array(
    select distinct coalesce(wanted.name, 'null')
    from unnest(check_names) as wanted (name)
    where not exists (select from app_public.health_check where health_check.name = wanted.name)
    order by 1);
  if unknown <> '{}' then
    perform app_private.refuse('unknown_check', jsonb_build_object(
      'unknown', unknown,
      'checks', array(select health_check.name from app_public.health_check order by 1)));
  end if;
end
$$;

comment on function app_private.guard_check_names(text[]) is
  'Refuses names that no health check has, and an empty list; null means all checks.';

revoke execute on function app_private.guard_check_names(text[]) from public;
