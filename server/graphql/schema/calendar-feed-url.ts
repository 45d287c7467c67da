import 'postgraphile';
import 'postgraphile/graphile-build-pg';
import type { PgClassExpressionStep, PgSelectSingleStep } from 'postgraphile/@dataplan/pg';
import { context, lambda, type Step } from 'postgraphile/grafast';

/**
 * `url` of a calendar feed that was just made: the database knows its path, the server where it is
 * reached from outside.
 */
export const CalendarFeedUrlPlugin: GraphileConfig.Plugin = {
  name: 'CalendarFeedUrlPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLObjectType_fields(fields, build, { scope, fieldWithHooks }) {
        if (scope.pgCodec?.name !== 'newCalendarFeed' || !scope.isPgClassType) return fields;
        const url = fieldWithHooks({ fieldName: 'url' }, () => ({
          description:
            'The whole address, for the calendar program. A secret: it is told only now.',
          type: new build.graphql.GraphQLNonNull(build.graphql.GraphQLString),
          plan: ($feed: PgSelectSingleStep | PgClassExpressionStep<never, never>) =>
            lambda(
              [context().get('publicUrl'), ($feed as PgSelectSingleStep).get('path') as Step],
              ([base, path]) => `${base}${path}`,
            ),
        }));
        return build.extend(fields, { url }, 'Adding the address of a new calendar feed');
      },
    },
  },
};

declare global {
  namespace Grafast {
    interface Context {
      /** Where the server is reached from outside. */
      publicUrl: string;
    }
  }
}
