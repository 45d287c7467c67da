-- What the migrations declared, against what the catalogs say now. A guard that is asleep has another
-- definition than one that is awake, so that one comparison finds all that can become of it. Of settings
-- the right ones are none. Superusers are known, so that new ones are noticed; one that is gone is no loss. Brackets
-- that say nothing may differ. The catalog of checks is not asked for the name: it stands behind guards.
create or replace view checks.missing_guard as
select app_private.machinery() as hospital_id, 'missing_guard' as check_name, 'critical'::app_public.check_severity as severity,
  'system' as entity_type, null::uuid as entity_id,
  case
    when guard.problem = 'set' then
      format('%s is set to %s for %s: what guards the data may be passed by.', guard.name, guard.found, guard.object)
    else format('The %s %s%s is %s.%s', replace(guard.kind, '_', ' '), guard.name,
      ' on ' || nullif(guard.object, ''), guard.problem,
      case when guard.kind not in ('function', 'view', 'check') then format(' Declared is: %s', left(guard.declared, 300)) end)
  end as detail,
  jsonb_build_object('kind', guard.kind, 'object', guard.object, 'name', guard.name, 'problem', guard.problem,
    'declared', guard.declared, 'found', guard.found,
    'restore', app_private.guard_restoration(
      guard.kind, guard.object, guard.name, guard.declared, guard.source, guard.found)) as metadata,
  concat_ws(':', 'missing_guard', guard.kind, guard.object, guard.name) as cache_key
from (
  select coalesce(declared.kind, found.kind) as kind, coalesce(declared.object, found.object) as object,
    coalesce(declared.name, found.name) as name, declared.definition as declared, declared.source, found.definition as found,
    case
      when declared.kind is null then 'set'
      when found.kind is null then 'missing'
      when found.definition like '%(disabled)' or found.definition like '%(its triggers are disabled)' then 'disabled'
      when found.definition ilike '%not enforced' then 'not enforced'
      when found.definition ilike '%not valid' or found.definition like '%not valid)' then 'not valid'
      else 'different'
    end as problem
  from app_private.guard as declared
  full join app_private.guards_in_force() as found
    on found.kind = declared.kind and found.object = declared.object and found.name = declared.name
  where declared.definition is distinct from found.definition
    and (declared.kind in ('constraint', 'unique_index', 'trigger', 'policy')
      and app_private.flatten_condition(declared.definition) = app_private.flatten_condition(found.definition)) is not true
    and (declared.kind <> 'superuser' or declared.kind is null and found.kind = 'setting')
) as guard;

comment on view checks.missing_guard is
  'What the migrations declared to guard the data and is gone, disabled, not valid or different. metadata.restore holds the statements that bring it back.';
revoke all on checks.missing_guard from public;
grant select on checks.missing_guard to app_monitor;

select app_private.declare_check(
  name => 'missing_guard', domain => 'references', severity => 'critical', entity_type => 'system',
  title => 'Guard that is missing or switched off',
  meaning => 'A constraint, unique index, trigger, policy, row security, grant, function, owner, default, role, view or check that the migrations declared is gone, disabled, not valid or different, or a setting switches guards off.',
  importance => 'What it protected is not protected any more: the next double booking, or the next look into another hospital, meets no wall.',
  resolution => 'Read what metadata.restore holds and run it in psql as the owner of the database. Run all checks afterwards: they tell what came of the gap.',
  remedy => 'operator');
