import 'postgraphile';
import 'postgraphile/graphile-build-pg';
import '@graphile/simplify-inflection';

/**
 * Names of the GraphQL schema, made from those of the database:
 * a row's `id` stays `id`; a relation is named after its first column that is not the hospital
 * (every key carries the hospital, so it says nothing); a mutation's payload holds its result under
 * the name of what it returns (`bookAppointment { appointment { … } }`).
 */
export const InflectionPlugin: GraphileConfig.Plugin = {
  name: 'SlotkeeperInflectionPlugin',
  version: '1.0.0',
  after: ['PgSimplifyInflectionPlugin', 'PgAttributesPlugin', 'PgCustomTypeFieldPlugin'],
  inflection: {
    replace: {
      _attributeName(_previous, _preset, { attributeName, codec }) {
        const attribute = codec.attributes[attributeName];
        const tag = attribute?.extensions?.tags?.name;
        return this.coerceToGraphQLName(typeof tag === 'string' ? tag : attributeName);
      },

      _getBaseNameFromKeys(previous, _preset, detailedKeys) {
        const own = detailedKeys.filter(({ attributeName }) => attributeName !== 'hospital_id');
        return previous?.(own.length > 0 ? own.slice(0, 1) : detailedKeys) ?? null;
      },

      allRowsConnection(previous, _preset, resource) {
        const tag = resource.extensions?.tags?.rootField;
        return typeof tag === 'string' ? tag : (previous?.(resource) ?? resource.name);
      },

      customQueryField(previous, _preset, details) {
        const tag = details.resource.extensions?.tags?.fieldName;
        return typeof tag === 'string' ? tag : (previous?.(details) ?? details.resource.name);
      },

      functionMutationResultFieldName(previous, _preset, details) {
        const name = previous?.(details) ?? 'result';
        const type = details.returnGraphQLTypeName;
        const isTable = details.resource.codec.attributes !== undefined;
        return name === 'result' && isTable ? this.camelCase(type) : name;
      },
    },
  },
};
