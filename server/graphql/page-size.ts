import 'postgraphile';
import { ConstantStep, constant, lambda, type Step } from 'postgraphile/grafast';

/** What a paged collection can be told; a connection and a plain list of rows can be. */
type PagedStep = Step & { setFirst(first: Step): void };

/**
 * Gives every connection and plain list of rows a page of `defaultPage` where the request names
 * neither `first` nor `last`, whether they are missing, null, or in a variable without a value.
 * A default value in the schema would not do: it would join a `last` that the request does name.
 * A search that is told its `pageSize` gives all that it found.
 */
export function createPageSizePlugin(defaultPage: number): GraphileConfig.Plugin {
  return {
    name: 'PageSizePlugin',
    version: '1.0.0',
    description: `Reads ${defaultPage} rows where a request does not say how many.`,
    schema: {
      hooks: {
        GraphQLObjectType_fields_field(field, _build, { scope }) {
          const { plan } = field;
          if (!isPaged(scope) || !plan) return field;
          return {
            ...field,
            plan($parent, args, info) {
              const $rows = plan($parent, args, info);
              const names = new Set(info.field.args.map(({ name }) => name));
              if (!names.has('first')) return $rows;
              if (!isPagedStep($rows)) throw new Error(`${info.field.name} cannot be paged`);
              const $last = names.has('last') ? args.getRaw('last') : constant(null);
              const $size = names.has('pageSize') ? args.getRaw('pageSize') : constant(null);
              $rows.setFirst(firstStep(args.getRaw('first'), $last, $size, defaultPage));
              return $rows;
            },
          };
        },
        GraphQLObjectType_fields_field_args: {
          after: ['PgFirstLastBeforeAfterArgsPlugin'],
          callback(args, _build, { scope }) {
            const { first } = args;
            if (!isPaged(scope) || !first) return args;
            const { applyPlan: _doneByTheField, ...argument } = first;
            return { ...args, first: argument };
          },
        },
      },
    },
  };
}

function isPaged(scope: {
  isPgFieldConnection?: boolean;
  isPgFieldSimpleCollection?: boolean;
}): boolean {
  return scope.isPgFieldConnection === true || scope.isPgFieldSimpleCollection === true;
}

function isPagedStep(step: unknown): step is PagedStep {
  return (
    typeof step === 'object' &&
    step !== null &&
    'setFirst' in step &&
    typeof step.setFirst === 'function'
  );
}

/** Decided while planning where the arguments are literals, which is nearly always. */
function firstStep($first: Step, $last: Step, $size: Step, defaultPage: number): Step {
  if (
    $first instanceof ConstantStep &&
    $last instanceof ConstantStep &&
    $size instanceof ConstantStep
  ) {
    return constant(firstOf([$first.data, $last.data, $size.data], defaultPage));
  }
  return lambda([$first, $last, $size], (asked) => firstOf(asked, defaultPage), true);
}

function firstOf([first, last, size]: readonly unknown[], defaultPage: number): unknown {
  return first ?? (last == null ? (size ?? defaultPage) : null);
}
