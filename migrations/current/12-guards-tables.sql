-- The system checks that what protects it is still switched on: a manifest of guards that the migrations
-- write themselves, and the checks of references.
set local role app_owner;

create table app_private.guard (
  kind text not null constraint a_guard_is_of_a_known_kind check (kind in (
    'constraint', 'not_null', 'unique_index', 'trigger', 'rule', 'policy', 'row_security', 'grant', 'function', 'owner',
    'default', 'view', 'check', 'role', 'superuser', 'membership', 'default_rights')),
  object text not null,
  name text not null,
  definition text not null,
  source text,
  declared_at timestamptz not null default app_private.clock(),
  primary key (kind, object, name)
);
comment on table app_private.guard is
  'What the migrations declared to guard the data: the manifest that health checks hold the catalogs of Postgres against.';
comment on column app_private.guard.kind is 'What it is: a constraint, trigger, policy, grant or another kind.';
comment on column app_private.guard.object is 'What it stands on: a table or view, a schema (for functions), another object of a grant; empty for roles.';
comment on column app_private.guard.name is 'Its name there.';
comment on column app_private.guard.definition is 'What it is when it is in force; a digest where that would be long.';
comment on column app_private.guard.source is 'Statements that make it anew, where the definition is a digest; null otherwise.';
comment on column app_private.guard.declared_at is 'When a migration declared it as it is.';

reset role;
