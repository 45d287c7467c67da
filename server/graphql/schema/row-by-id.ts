import 'postgraphile';
import 'postgraphile/graphile-build-pg';
import { context, type FieldArgs } from 'postgraphile/grafast';
import type { GraphQLInputType } from 'postgraphile/graphql';

/**
 * `appointment(id: …)` and the like: one row of the caller's own hospital by its id. Every key of the
 * database begins with the hospital, which the claims know; a client has no say in it.
 */
export const RowByIdPlugin: GraphileConfig.Plugin = {
  name: 'RowByIdPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLObjectType_fields(fields, build, { scope, fieldWithHooks }) {
        if (!scope.isRootQuery) return fields;
        const { GraphQLNonNull, GraphQLObjectType } = build.graphql;
        const found: typeof fields = {};
        for (const resource of Object.values(build.pgResources)) {
          const key = resource.uniques?.find(({ isPrimary }) => isPrimary)?.attributes.join();
          if (resource.parameters || key !== 'hospital_id,id') continue;
          const typeName = build.inflection.tableType(resource.codec);
          const type = build.getTypeByName(typeName);
          const id = resource.codec.attributes.id;
          const idType = id && build.getGraphQLTypeByPgCodec(id.codec, 'input');
          if (!(type instanceof GraphQLObjectType) || !idType) continue;
          const fieldName = build.inflection.camelCase(typeName);
          found[fieldName] = fieldWithHooks({ fieldName }, () => ({
            description: `The ${fieldName} with this id, or null when there is none that you may see.`,
            type,
            args: { id: { type: new GraphQLNonNull(idType as GraphQLInputType) } },
            plan: (_$root: unknown, fieldArgs: FieldArgs) =>
              resource.get({
                hospital_id: context().get('hospitalId'),
                id: fieldArgs.getRaw('id'),
              }),
          }));
        }
        return build.extend(fields, found, 'Adding row by id');
      },
    },
  },
};

declare global {
  namespace Grafast {
    interface Context {
      /** Hospital of the request's claims; null when nobody is logged in. */
      hospitalId: string | null;
    }
  }
}
