import 'postgraphile';
import 'postgraphile/graphile-build-pg';
import type { PgResource, PgSelectSingleStep } from 'postgraphile/@dataplan/pg';
import { context } from 'postgraphile/grafast';
import { GraphQLObjectType } from 'postgraphile/graphql';

/** The rows that the results of functions name: by type of the row, its column and the table. */
const RELATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  freeSlot: { slot_id: 'slot', doctor_id: 'doctor', location_id: 'location' },
  noSlotsReason: { doctor_id: 'doctor' },
  findingRepair: { finding_id: 'finding' },
};

/**
 * `doctor`, `location` and `slot` of a free slot, `finding` of a repair. It is no row of a table, so no foreign key says what
 * its ids are; the hospital is that of the request, as with any row by its id.
 */
export const FreeSlotRelationsPlugin: GraphileConfig.Plugin = {
  name: 'FreeSlotRelationsPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLObjectType_fields(fields, build, { scope, fieldWithHooks }) {
        const { pgCodec } = scope;
        const relations = RELATIONS[pgCodec?.name ?? ''];
        if (!relations || !scope.isPgClassType) return fields;
        const found: typeof fields = {};
        for (const [column, table] of Object.entries(relations)) {
          const resource = build.pgResources[table] as PgResource | undefined;
          const type = resource && build.getTypeByName(build.inflection.tableType(resource.codec));
          if (!resource || !(type instanceof GraphQLObjectType)) continue;
          found[table] = fieldWithHooks({ fieldName: table }, () => ({
            description: `The ${table} of this id.`,
            type,
            plan: ($row: PgSelectSingleStep) =>
              resource.get({ hospital_id: context().get('hospitalId'), id: $row.get(column) }),
          }));
        }
        return build.extend(fields, found, 'Adding the rows that a free slot names');
      },
    },
  },
};
