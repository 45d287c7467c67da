import type { ClientBase } from 'pg';

/** Tables that belong to no hospital, and why. */
export const globalTables: Readonly<Record<string, string>> = {
  'app_public.hospital': 'it is the tenant itself',
  'app_public.error_catalog': 'refusals are the same for everybody',
  'app_public.appointment_transition': 'the state machine is the same for everybody',
  'app_public.webhook_event': 'there are the same events everywhere',
  'app_public.health_check': 'there are the same checks everywhere',
  'app_public.job': 'there are the same jobs everywhere',
  'app_public.notification_template': 'what people are told has the same words everywhere',
  'app_private.clock_shift': 'one clock for the whole database',
  'app_private.rate_limit': 'counts tries before anybody is known, by hashed key',
  'app_private.guard': 'what guards the data guards it for all',
  'app_private.process_heartbeat': 'servers and workers serve all hospitals',
  'app_private.worker_heartbeat': 'a worker serves all hospitals',
};

/**
 * Temporary views of the catalog, in which rules are short: our_table, tenant_table, our_function,
 * trigger_function. They go with the transaction.
 */
export async function nameOurThings(db: ClientBase): Promise<void> {
  await db.query(`
    create temporary view our_table as
    select relation.oid, namespace.nspname, relation.relname, relation.relowner, relation.relacl,
      relation.relrowsecurity, relation.relforcerowsecurity,
      format('%s.%s', namespace.nspname, relation.relname) as name
    from pg_catalog.pg_class as relation
    join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
    where namespace.nspname in ('app_public', 'app_private', 'checks') and relation.relkind in ('r', 'p');

    create temporary view tenant_table as
    select our_table.*, attribute.attnum as tenant
    from our_table
    join pg_catalog.pg_attribute as attribute on attribute.attrelid = our_table.oid
    where attribute.attname = 'hospital_id' and not attribute.attisdropped;

    create temporary view our_function as
    select function.*, namespace.nspname, language.lanname,
      format('%s.%s', namespace.nspname, function.proname) as name,
      lower(regexp_replace(pg_catalog.pg_get_functiondef(function.oid), '--[^\\n]*', '', 'g')) as code
    from pg_catalog.pg_proc as function
    join pg_catalog.pg_namespace as namespace on namespace.oid = function.pronamespace
    join pg_catalog.pg_language as language on language.oid = function.prolang
    where namespace.nspname in ('app_public', 'app_private', 'checks')
      and function.prokind in ('f', 'p')
      and language.lanname <> 'internal'; -- the constructors of range types

    create temporary view trigger_function as
    select * from our_function where our_function.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype`);
}
