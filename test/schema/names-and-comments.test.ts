// Constraints are sentences, and what clients and people in psql meet explains itself.
import { createDatabase } from '../helpers/database.ts';
import { hold } from './rule.ts';

const { ownerPool } = await createDatabase();

hold(ownerPool, [
  {
    says: 'constraints are named as sentences; only primary keys keep the name they get',
    offenders: `
      select conname from our_table join pg_catalog.pg_constraint on conrelid = our_table.oid
      where contype not in ('n', 't')
        and case contype
          when 'p' then conname <> our_table.relname || '_pkey'
          else conname !~ '^[a-z0-9]+(_[a-z0-9]+){2,}$' or conname ~ '_(fkey|key|check|excl)[0-9]*$'
        end`,
    breach: `
      alter table app_public.location add check (id <> hospital_id);
      alter table app_public.location add constraint location_rule check (true);
      alter table app_public.location add foreign key (hospital_id) references app_public.hospital (id)`,
    noticed: ['location_check', 'location_rule', 'location_hospital_id_fkey'],
  },
  {
    says: 'a name of a constraint stands for one constraint',
    offenders: `
      select conname from our_table join pg_catalog.pg_constraint on conrelid = our_table.oid
      where contype not in ('n', 't') group by conname having count(*) > 1`,
    breach: 'alter table app_public.location add constraint a_service_has_a_name check (true)',
    noticed: ['a_service_has_a_name'],
  },
  {
    says: 'indexes, triggers and policies are named by more than one word',
    offenders: `
      select pg_class.relname from our_table join pg_catalog.pg_index on indrelid = our_table.oid
        join pg_catalog.pg_class on pg_class.oid = indexrelid
      where pg_class.relname !~ '^[a-z0-9]+(_[a-z0-9]+)+$' or pg_class.relname ~ '_(idx)[0-9]*$'
      union all
      select tgname from our_table join pg_catalog.pg_trigger on tgrelid = our_table.oid
      where not tgisinternal and tgname !~ '^[a-z0-9]+(_[a-z0-9]+){2,}$'
      union all
      select polname from our_table join pg_catalog.pg_policy on polrelid = our_table.oid
      where polname !~ '^[a-z0-9]+(_[a-z0-9]+)+$'`,
    breach: `
      create index on app_public.location (is_active);
      create trigger location_trigger before delete on app_public.location
        for each row execute function app_private.keep_appointment();
      create policy everybody on app_public.location for select to app_anonymous using (true)`,
    noticed: ['everybody', 'location_is_active_idx', 'location_trigger'],
  },
  {
    says: 'facts are called is_ or has_, and nothing else is a boolean',
    offenders: `
      select format('%s.%s', our_table.name, attname)
      from our_table join pg_catalog.pg_attribute on attrelid = our_table.oid
      where attnum > 0 and not attisdropped and atttypid = 'boolean'::regtype
        and attname !~ '^(is|has|holds)_'`,
    breach: 'alter table app_public.location add column deleted boolean',
    noticed: ['app_public.location.deleted'],
  },
  {
    says: 'every schema of ours says what it is for',
    offenders: `
      select nspname from pg_catalog.pg_namespace
      where nspname in ('app_public', 'app_private', 'app_extension', 'checks')
        and obj_description(oid, 'pg_namespace') is null`,
    breach: 'comment on schema checks is null',
    noticed: ['checks'],
  },
  {
    says: 'every table and view says what it is',
    offenders: `
      select format('%s.%s', nspname, relname)
      from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
      where nspname in ('app_public', 'app_private', 'checks') and relkind in ('r', 'p', 'v', 'm')
        and obj_description(pg_class.oid, 'pg_class') is null`,
    breach: `
      create table app_private.thing ();
      create view checks.glance with (security_invoker) as select 1 as one`,
    noticed: ['app_private.thing', 'checks.glance'],
  },
  {
    // What identifies a row or refers to another one needs no words: its name and the foreign key
    // say it.
    says: 'every public column says what it means, but for keys, references and the time of creation',
    offenders: `
      select format('%s.%s', relname, attname)
      from pg_catalog.pg_attribute
      join pg_catalog.pg_class on pg_class.oid = attrelid
      where relnamespace = 'app_public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'c')
        and attnum > 0 and not attisdropped
        and attname not in ('hospital_id', 'id', 'created_at')
        and not exists (
          select from pg_catalog.pg_constraint
          where conrelid = attrelid and contype = 'f' and attnum = any (conkey))
        and col_description(attrelid, attnum) is null`,
    breach: 'alter table app_public.location add column floor int',
    noticed: ['location.floor'],
  },
  {
    says: 'every function says what it does, and a trigger function that it is one',
    offenders: `
      select name from our_function
      where obj_description(oid, 'pg_proc') is null
        or (prorettype = 'trigger'::regtype) <> starts_with(obj_description(oid, 'pg_proc'), 'Trigger: ')`,
    breach: `
      create function app_private.mute() returns int language sql return 1;
      comment on function app_private.keep_audit() is 'Refuses.'`,
    noticed: ['app_private.keep_audit', 'app_private.mute'],
  },
  {
    says: 'every type says what it is',
    offenders: `
      select format('%s.%s', nspname, typname)
      from pg_catalog.pg_type
      join pg_catalog.pg_namespace on pg_namespace.oid = typnamespace
      left join pg_catalog.pg_class on pg_class.oid = typrelid
      where nspname in ('app_public', 'app_private', 'checks')
        and typtype in ('e', 'd', 'r', 'c') and coalesce(relkind = 'c', true)
        and coalesce(obj_description(pg_type.oid, 'pg_type'), obj_description(typrelid, 'pg_class')) is null`,
    breach: "create type app_private.mood as enum ('good')",
    noticed: ['app_private.mood'],
  },
]);
