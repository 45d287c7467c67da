import 'postgraphile';
import 'postgraphile/graphile-build-pg';

/** Tables whose rows are listed newest first unless the client says otherwise; ids are time-ordered. */
const NEWEST_FIRST: readonly string[] = ['check_run', 'finding', 'notification'];

/** Lets the connections of these tables begin with the newest row, by the key, so that cursors hold. */
export const NewestFirstPlugin: GraphileConfig.Plugin = {
  name: 'NewestFirstPlugin',
  version: '1.0.0',
  after: ['PgConnectionArgOrderByDefaultValuePlugin'],
  schema: {
    hooks: {
      GraphQLObjectType_fields_field_args_arg(arg, build, { scope }) {
        const { argName, isPgFieldConnection, pgFieldResource: resource } = scope;
        if (argName !== 'orderBy' || !isPgFieldConnection) return arg;
        if (!resource?.codec.attributes || !NEWEST_FIRST.includes(resource.name)) return arg;
        const { inflection } = build;
        const type = build.getTypeByName(
          inflection.orderByType(inflection.tableType(resource.codec)),
        );
        if (!build.graphql.isEnumType(type)) return arg;
        const newest = type.getValues().find(({ name }) => name === 'ID_DESC');
        if (!newest) throw new Error(`${resource.name} cannot be ordered by its id`);
        return { ...arg, defaultValue: [newest.value] };
      },
    },
  },
};
