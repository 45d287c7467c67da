import 'postgraphile';
import 'postgraphile/graphile-build-pg';
import type { PgResource, PgSelectSingleStep } from 'postgraphile/@dataplan/pg';
import { GraphQLObjectType } from 'postgraphile/graphql';

/** What names a check: findings, results of runs, and repairs. */
const NAMING_A_CHECK = new Set(['finding', 'checkResult', 'findingRepair']);

/**
 * `check` of what names one: its row in the catalog. No foreign key says so, for what was found outlives
 * the catalog; null then.
 */
export const CheckOfFindingPlugin: GraphileConfig.Plugin = {
  name: 'CheckOfFindingPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLObjectType_fields(fields, build, { scope, fieldWithHooks }) {
        if (!scope.isPgClassType || !NAMING_A_CHECK.has(scope.pgCodec?.name ?? '')) return fields;
        const resource = build.pgResources.health_check as PgResource | undefined;
        const type = resource && build.getTypeByName(build.inflection.tableType(resource.codec));
        if (!resource || !(type instanceof GraphQLObjectType)) return fields;
        const check = fieldWithHooks({ fieldName: 'check' }, () => ({
          description: 'The check, as the catalog describes it; null when it is no more.',
          type,
          plan: ($row: PgSelectSingleStep) => resource.get({ name: $row.get('check_name') }),
        }));
        return build.extend(fields, { check }, 'Adding the check that a finding names');
      },
    },
  },
};
