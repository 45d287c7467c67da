/**
 * What one GraphQL request may ask for. Postgres would answer anything; one anonymous query of a few
 * hundred bytes can otherwise fill the heap. So an operation is measured before it is planned, by its
 * types and with its variables, and refused when any measure is over its limit.
 *
 * Every selection set is measured once, a fragment however often it is spread: the time is linear in
 * the size of the document, while the figures are those of the document with all fragments written
 * out. `@skip` and `@include` are not believed: what could run counts.
 */
import {
  type ArgumentNode,
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  getVariableValues,
  isCompositeType,
  isListType,
  isObjectType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'postgraphile/graphql';
import { Refusal } from '../errors.ts';
import { invalidQueryRefusal } from './mask-error.ts';

/** The limits of a request. Sizes of a body in bytes, of everything else in pieces. */
export type Limits = {
  /** Fields below one another. */
  depth: number;
  /** Fields below one another inside `__schema` and `__type`. */
  introspectionDepth: number;
  /** The sum of all fields, those of a list times the length of the list. */
  cost: number;
  aliases: number;
  directives: number;
  rootFields: number;
  tokens: number;
  /** The most that `first` or `last` may ask for. */
  page: number;
  /** How many rows come, and are counted, when neither `first` nor `last` is given. */
  defaultPage: number;
  /** What a list that cannot be paged is counted as. */
  listSize: number;
  offset: number;
  bodyBytes: number;
  /** Subscriptions at the same time on one websocket. */
  subscriptions: number;
};

export const DEFAULT_LIMITS: Limits = {
  depth: 10,
  introspectionDepth: 15,
  cost: 5_000,
  aliases: 15,
  directives: 4,
  rootFields: 10,
  tokens: 1_000,
  page: 100,
  defaultPage: 50,
  listSize: 10,
  offset: 10_000,
  bodyBytes: 50_000,
  subscriptions: 20,
};

/** Values of variables by name; null where they are not known yet and lists count as one row. */
export type Variables = Readonly<Record<string, unknown>> | null;

/** What an operation asks for, with its fragments written out. */
export type Measurement = {
  depth: number;
  introspectionDepth: number;
  cost: number;
  aliases: number;
  directives: number;
  rootFields: number;
  largestPage: number;
  largestOffset: number;
  smallestPaging: number;
};

/** The measure of one selection set. In a connection, `perRow` is the part that every row repeats. */
type Measure = {
  depth: number;
  introspectionDepth: number;
  cost: number;
  perRow: number;
  aliases: number;
  directives: number;
  fields: number;
};

const NOTHING: Measure = {
  depth: 0,
  introspectionDepth: 0,
  cost: 0,
  perRow: 0,
  aliases: 0,
  directives: 0,
  fields: 0,
};

type Paging = { largestPage: number; largestOffset: number; smallestPaging: number };

type Survey = {
  schema: GraphQLSchema;
  limits: Limits;
  variables: Variables;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  measured: Map<string, Measure>;
  paging: Paging;
};

/** Measures one operation of a document. Unknown types and fields count as plain fields. */
export function measureOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
  limits: Limits = DEFAULT_LIMITS,
): Measurement {
  const paging = { largestPage: 0, largestOffset: 0, smallestPaging: 0 };
  const fragments = fragmentsOf(document);
  const survey = { schema, limits, variables, fragments, measured: new Map(), paging };
  const root = schema.getRootType(operation.operation) ?? null;
  const measure = measureSet(survey, operation.selectionSet, root);
  const definitions = operation.variableDefinitions ?? [];
  return {
    ...paging,
    depth: measure.depth,
    introspectionDepth: measure.introspectionDepth,
    cost: bounded(measure.cost + measure.perRow),
    aliases: measure.aliases,
    directives: definitions.reduce(
      (sum, definition) => sum + directivesOf(definition),
      measure.directives + directivesOf(operation),
    ),
    rootFields: measure.fields,
  };
}

function fragmentsOf(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  return fragments;
}

function measureSet(
  survey: Survey,
  set: SelectionSetNode,
  parent: GraphQLNamedType | null,
): Measure {
  const total = { ...NOTHING };
  for (const selection of set.selections) {
    const part = measureSelection(survey, selection, parent);
    total.depth = Math.max(total.depth, part.depth);
    total.introspectionDepth = Math.max(total.introspectionDepth, part.introspectionDepth);
    total.cost = bounded(total.cost + part.cost);
    total.perRow = bounded(total.perRow + part.perRow);
    total.aliases = bounded(total.aliases + part.aliases);
    total.directives = bounded(total.directives + part.directives);
    total.fields = bounded(total.fields + part.fields);
  }
  return total;
}

function measureSelection(
  survey: Survey,
  selection: SelectionNode,
  parent: GraphQLNamedType | null,
): Measure {
  if (selection.kind === Kind.FIELD) return measureField(survey, selection, parent);
  if (selection.kind === Kind.FRAGMENT_SPREAD) {
    const fragment = measureFragment(survey, selection.name.value);
    return { ...fragment, directives: fragment.directives + directivesOf(selection) };
  }
  const type = selection.typeCondition
    ? (survey.schema.getType(selection.typeCondition.name.value) ?? null)
    : parent;
  const inner = measureSet(survey, selection.selectionSet, type);
  return { ...inner, directives: inner.directives + directivesOf(selection) };
}

/** A fragment that is still being measured spreads itself; validation refuses it, here it is nothing. */
function measureFragment(survey: Survey, name: string): Measure {
  const known = survey.measured.get(name);
  if (known !== undefined) return known;
  const fragment = survey.fragments.get(name);
  if (fragment === undefined) return NOTHING;
  survey.measured.set(name, NOTHING);
  const type = survey.schema.getType(fragment.typeCondition.name.value) ?? null;
  const inner = measureSet(survey, fragment.selectionSet, type);
  const measure = { ...inner, directives: inner.directives + directivesOf(fragment) };
  survey.measured.set(name, measure);
  return measure;
}

function measureField(survey: Survey, node: FieldNode, parent: GraphQLNamedType | null): Measure {
  const name = node.name.value;
  const field = fieldOf(survey.schema, parent, name);
  const type = field ? getNamedType(field.type) : null;
  const inner = node.selectionSet ? measureSet(survey, node.selectionSet, type) : NOTHING;
  const isMeta = parent?.name.startsWith('__') === true;
  return {
    ...costOfField(survey, node, field, parent, inner),
    depth: isMeta ? inner.depth : 1 + inner.depth,
    introspectionDepth: isMeta ? 1 + inner.introspectionDepth : inner.introspectionDepth,
    aliases: inner.aliases + (node.alias ? 1 : 0),
    directives: inner.directives + directivesOf(node),
    fields: name === '__typename' ? 0 : 1,
  };
}

type AnyField = GraphQLField<unknown, unknown>;

/**
 * A field costs 1 and its children; a list 1 and its length times its children (at least 1 each).
 * A connection's `nodes` and `edges` are what its page repeats; `totalCount` and `pageInfo` are there
 * once. Introspection reads what is in memory and is bounded by its depth: its lists count as one row.
 */
function costOfField(
  survey: Survey,
  node: FieldNode,
  field: AnyField | null,
  parent: GraphQLNamedType | null,
  inner: Measure,
): Pick<Measure, 'cost' | 'perRow'> {
  const page = field ? notePaging(survey, node, field) : null;
  const children = bounded(inner.cost + inner.perRow);
  if (!field || parent?.name.startsWith('__')) return { cost: bounded(1 + children), perRow: 0 };
  if (isConnection(getNamedType(field.type))) {
    const rows = page ?? survey.limits.defaultPage;
    return { cost: bounded(1 + inner.cost + rows * inner.perRow), perRow: 0 };
  }
  const lists = listDepth(field);
  if (lists === 0) return { cost: bounded(1 + children), perRow: 0 };
  if (isRowsOf(parent, node.name.value)) return { cost: 1, perRow: Math.max(1, children) };
  const rows = page ?? survey.limits.listSize ** lists;
  return { cost: bounded(1 + rows * Math.max(1, children)), perRow: 0 };
}

function isConnection(type: GraphQLNamedType): boolean {
  if (!isObjectType(type)) return false;
  const fields = type.getFields();
  return fields.pageInfo !== undefined && (fields.nodes ?? fields.edges) !== undefined;
}

function isRowsOf(parent: GraphQLNamedType | null, name: string): boolean {
  return parent !== null && isConnection(parent) && (name === 'nodes' || name === 'edges');
}

function listDepth(field: AnyField): number {
  let depth = 0;
  let type = getNullableType(field.type);
  while (isListType(type)) {
    depth += 1;
    type = getNullableType(type.ofType);
  }
  return depth;
}

function fieldOf(
  schema: GraphQLSchema,
  parent: GraphQLNamedType | null,
  name: string,
): AnyField | null {
  if (parent === null || !isCompositeType(parent)) return null;
  const meta = metaFieldOf(schema, parent, name);
  if (meta !== null) return meta;
  return isUnionType(parent) ? null : (parent.getFields()[name] ?? null);
}

function metaFieldOf(
  schema: GraphQLSchema,
  parent: GraphQLCompositeType,
  name: string,
): AnyField | null {
  if (parent !== schema.getQueryType()) return null;
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  return name === TypeMetaFieldDef.name ? TypeMetaFieldDef : null;
}

/**
 * Remembers how far the paging of a field goes, and returns the number of rows it asks for, or null
 * where the field cannot be paged. `first` and `last` together count as the larger of the two, and so
 * does `pageSize`, by which a search is told how many rows to look for.
 */
function notePaging(survey: Survey, node: FieldNode, field: AnyField): number | null {
  const first = pagingValue(survey, node, field, 'first');
  const last = pagingValue(survey, node, field, 'last');
  const pageSize = pagingValue(survey, node, field, 'pageSize');
  const offset = pagingValue(survey, node, field, 'offset');
  const { paging } = survey;
  for (const value of [first, last, pageSize, offset]) {
    if (typeof value === 'number') paging.smallestPaging = Math.min(paging.smallestPaging, value);
  }
  if (typeof offset === 'number') paging.largestOffset = Math.max(paging.largestOffset, offset);
  if (first === undefined && last === undefined) return null;
  const sizes = [first, last, pageSize].filter((size) => typeof size === 'number');
  const page = sizes.length === 0 ? survey.limits.defaultPage : Math.max(0, ...sizes);
  paging.largestPage = Math.max(paging.largestPage, page);
  return page;
}

/** undefined: the field has no such argument; null: not given. */
function pagingValue(
  survey: Survey,
  node: FieldNode,
  field: AnyField,
  name: 'first' | 'last' | 'pageSize' | 'offset',
): number | null | undefined {
  const argument = field.args.find((candidate) => candidate.name === name);
  if (argument === undefined) return undefined;
  const given = node.arguments?.find((candidate) => candidate.name.value === name);
  const fallback = typeof argument.defaultValue === 'number' ? argument.defaultValue : null;
  return given === undefined ? fallback : assignedTo(survey.variables, given, fallback);
}

function assignedTo(
  variables: Variables,
  given: ArgumentNode,
  fallback: number | null,
): number | null {
  const { value } = given;
  if (value.kind === Kind.INT) return Number(value.value);
  if (value.kind !== Kind.VARIABLE) return null;
  if (variables === null) return 1;
  const name = value.name.value;
  if (!Object.hasOwn(variables, name)) return fallback;
  const assigned = variables[name];
  return typeof assigned === 'number' ? assigned : null;
}

function directivesOf(node: ASTNode & { directives?: readonly unknown[] | undefined }): number {
  return node.directives?.length ?? 0;
}

/** Keeps sums of doubled sums finite, so that they can be compared and written as json. */
function bounded(value: number): number {
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

/** The refusal for one measure over its limit. */
export function limitRefusal(
  scenario: string,
  message: string,
  limit: number,
  actual: number,
  hint: string,
): Refusal {
  return new Refusal({ code: 'SK400', scenario, message, details: { limit, actual }, hint });
}

/** The first limit that a measurement breaks, or null. `operation` is its kind, for the mutation rule. */
export function judge(
  measured: Measurement,
  operation: OperationDefinitionNode['operation'],
  limits: Limits = DEFAULT_LIMITS,
): Refusal | null {
  if (operation === 'mutation' && measured.rootFields !== 1) {
    return limitRefusal(
      'one_mutation_a_request',
      'A request carries exactly one mutation.',
      1,
      measured.rootFields,
      'Send each mutation in a request of its own.',
    );
  }
  if (measured.smallestPaging < 0) {
    return limitRefusal(
      'negative_paging',
      'A page or offset cannot be negative.',
      0,
      measured.smallestPaging,
      'Use first, last and offset from zero upwards.',
    );
  }
  const broken = rules(measured, limits).find(([, , limit, actual]) => actual > limit);
  return broken ? limitRefusal(...broken) : null;
}

type Rule = Parameters<typeof limitRefusal>;

function rules(measured: Measurement, limits: Limits): Rule[] {
  const deep = 'The query is nested too deep.';
  const split = 'Ask in several requests.';
  return [
    [
      'too_many_directives',
      'The query has too many directives.',
      limits.directives,
      measured.directives,
      'Leave directives out, or ask in several requests.',
    ],
    [
      'too_many_aliases',
      'The query has too many aliases.',
      limits.aliases,
      measured.aliases,
      split,
    ],
    [
      'too_many_root_fields',
      'The query asks for too many things at once.',
      limits.rootFields,
      measured.rootFields,
      split,
    ],
    ['query_too_deep', deep, limits.depth, measured.depth, split],
    [
      'query_too_deep',
      deep,
      limits.introspectionDepth,
      measured.introspectionDepth,
      'Use the standard introspection query.',
    ],
    [
      'page_too_large',
      'A page is too large.',
      limits.page,
      measured.largestPage,
      'Ask for less with first or last, and read on with a cursor.',
    ],
    [
      'offset_too_large',
      'An offset is too large.',
      limits.offset,
      measured.largestOffset,
      'Read on with a cursor (after, before), or narrow the query.',
    ],
    [
      'query_too_costly',
      'The query asks for too much at once.',
      limits.cost,
      measured.cost,
      'Ask for smaller pages or fewer fields; a list counts its length times its fields.',
    ],
  ];
}

/**
 * Judges every operation of a document by its shape alone, before validation, whose own time grows
 * faster than the document. Lists whose length is in a variable count as one row here.
 */
export function checkShape(
  schema: GraphQLSchema,
  document: DocumentNode,
  limits: Limits = DEFAULT_LIMITS,
): Refusal | null {
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const measured = measureOperation(schema, document, definition, null, limits);
    const refusal = judge(measured, definition.operation, limits);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** One request, parsed and valid, with its variables as they were sent. */
export type Request = {
  schema: GraphQLSchema;
  document: DocumentNode;
  operationName?: string | null | undefined;
  variableValues?: Readonly<Record<string, unknown>> | null | undefined;
};

/**
 * Judges the operation that a request runs, with its variables and their defaults.
 * Also refuses (invalid_query) an operation that is not there, and variables of the wrong type.
 */
export function checkRequest(request: Request, limits: Limits = DEFAULT_LIMITS): Refusal | null {
  const { schema, document } = request;
  const operation = getOperationAST(document, request.operationName);
  if (!operation)
    return invalidQueryRefusal('The request does not say which of its operations to run.');
  const definitions = operation.variableDefinitions ?? [];
  const given = getVariableValues(schema, definitions, request.variableValues ?? {}, {
    maxErrors: 3,
  });
  if (given.errors)
    return invalidQueryRefusal(given.errors[0]?.message ?? 'A variable is not valid.');
  const measured = measureOperation(schema, document, operation, given.coerced, limits);
  return judge(measured, operation.operation, limits);
}
