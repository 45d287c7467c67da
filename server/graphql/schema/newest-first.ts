import 'postgraphile';
import 'postgraphile/graphile-build-pg';

/** Tables whose rows are listed newest first unless the client says otherwise, and by what order. */
const NEWEST_FIRST: Readonly<Record<string, string>> = {
  check_run: 'ID_DESC',
  finding: 'ID_DESC',
  notification: 'ID_DESC',
  // Its entries are written in batches, a little later than they happened.
  log_entry: 'LOGGED_AT_DESC',
};

/** Lets the connections of these tables begin with the newest row, by a key or with it, so that cursors hold. */
export const NewestFirstPlugin: GraphileConfig.Plugin = {
  name: 'NewestFirstPlugin',
  version: '1.0.0',
  after: ['PgConnectionArgOrderByDefaultValuePlugin'],
  schema: {
    hooks: {
      GraphQLObjectType_fields_field_args_arg(arg, build, { scope }) {
        const { argName, isPgFieldConnection, pgFieldResource: resource } = scope;
        if (argName !== 'orderBy' || !isPgFieldConnection) return arg;
        const order = NEWEST_FIRST[resource?.name ?? ''];
        if (!resource?.codec.attributes || order === undefined) return arg;
        const { inflection } = build;
        const type = build.getTypeByName(
          inflection.orderByType(inflection.tableType(resource.codec)),
        );
        if (!build.graphql.isEnumType(type)) return arg;
        const newest = type.getValues().find(({ name }) => name === order);
        if (!newest) throw new Error(`${resource.name} cannot be ordered by ${order}`);
        return { ...arg, defaultValue: [newest.value] };
      },
    },
  },
};
