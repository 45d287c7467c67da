import { buildSchema, getIntrospectionQuery, parse, validate } from 'postgraphile/graphql';
import { describe, expect, test } from 'vitest';
import { createDocumentCheck } from '../../server/graphql/check-document.ts';
import {
  checkRequest,
  checkShape,
  DEFAULT_LIMITS,
  measureOperation,
} from '../../server/graphql/limits.ts';
import { typeDefs } from './schema.ts';

const schema = buildSchema(typeDefs);
const check = createDocumentCheck(schema, { limits: DEFAULT_LIMITS, introspection: true });

/** 'passes', or the scenario of the first refusal, by the way a request goes: text, then variables. */
function verdict(query: string, variables: Record<string, unknown> = {}): string {
  const { document, errors } = check(query);
  if (!document) return String(errors[0]?.extensions.scenario);
  const refusal = checkRequest({ schema, document, variableValues: variables });
  return refusal?.extensions.scenario ?? 'passes';
}

/** The details of the refusal. */
function details(query: string, variables: Record<string, unknown> = {}) {
  const { document, errors } = check(query);
  if (!document) return errors[0]?.extensions.details;
  return checkRequest({ schema, document, variableValues: variables })?.extensions.details;
}

function measure(query: string, variables: Record<string, unknown> = {}) {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const operation = document.definitions.find((one) => one.kind === 'OperationDefinition');
  if (operation?.kind !== 'OperationDefinition') throw new Error('no operation');
  return measureOperation(schema, document, operation, variables);
}

const repeat = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

describe('depth', () => {
  const nested = (levels: number) =>
    `{ hospital ${'{ parent '.repeat(levels - 2)} { name } ${'}'.repeat(levels - 2)} }`;

  test('ten levels pass, eleven do not', () => {
    expect(measure(nested(10)).depth).toBe(10);
    expect(verdict(nested(10))).toBe('passes');
    expect(verdict(nested(11))).toBe('query_too_deep');
    expect(details(nested(11))).toEqual({ limit: 10, actual: 11 });
  });

  test('levels hidden in named, inline and nested fragments count', () => {
    const hidden = (name: string) => `
      { ...A }
      fragment A on Query { hospital { parent { parent { ...B } } } }
      fragment B on Hospital { ... on Hospital { parent { parent { ... @include(if: true) { ...C } } } } }
      fragment C on Hospital { parent { parent { parent { parent { ${name} } } } } }`;
    expect(verdict(hidden('name'))).toBe('passes');
    expect(verdict(hidden('parent { name }'))).toBe('query_too_deep');
  });

  test('what @skip would leave out counts', () => {
    const query = nested(11).replace('{ name }', '{ name @skip(if: true) }');
    expect(verdict(query)).toBe('query_too_deep');
  });
});

describe('cost', () => {
  test('a page multiplies its rows, and nothing else', () => {
    expect(measure('{ answer }').cost).toBe(1);
    expect(measure('{ doctors(first: 7) { nodes { name } } }').cost).toBe(1 + 1 + 7);
    expect(measure('{ doctors(first: 7) { nodes { name room { name } } totalCount } }').cost).toBe(
      1 + 1 + 7 * 3 + 1,
    );
    expect(measure('{ shortList(first: 4) { edges { cursor node { id } } } }').cost).toBe(
      1 + 1 + 12,
    );
  });

  test('the size of a page is found wherever it stands', () => {
    const rows = '{ nodes { name } }';
    expect(measure(`{ doctors(last: 9) ${rows} }`).cost).toBe(2 + 9);
    expect(measure(`{ doctors ${rows} }`).cost).toBe(2 + 50);
    expect(measure(`{ doctors(first: null) ${rows} }`).cost).toBe(2 + 50);
    expect(measure(`query($n: Int) { doctors(first: $n) ${rows} }`, { n: 8 }).cost).toBe(2 + 8);
    expect(measure(`query($n: Int) { doctors(first: $n) ${rows} }`).cost).toBe(2 + 50);
    expect(measure('{ shortList { nodes { id } } }').cost).toBe(2 + 30);
    expect(measure('query($n: Int) { shortList(first: $n) { nodes { id } } }').cost).toBe(2 + 30);
    expect(measure('{ slots(first: 6) { id } }').cost).toBe(1 + 6);
    expect(measure('{ slots { id } }').cost).toBe(1 + 50);
  });

  test('lists that cannot be paged count as ten, lists of lists as a hundred', () => {
    expect(measure('{ rooms { name } }').cost).toBe(1 + 10);
    expect(measure('{ rooms { tags } }').cost).toBe(1 + 10 * 11);
    expect(measure('{ hospital { grid } }').cost).toBe(1 + 1 + 100);
  });

  test('5,000 passes, more does not', () => {
    const query = (names: number) =>
      `{ doctors(first: 100) { nodes { slots(first: 47) { nodes { id } } ${repeat(names, () => 'name')} } } }`;
    expect(measure(query(0)).cost).toBe(1 + 1 + 100 * 49);
    expect(measure(`{ answer ${'answer '.repeat(96)} ${query(0).slice(1)}`).cost).toBe(4_999);
    expect(verdict(query(0))).toBe('passes');
    expect(verdict(query(1))).toBe('query_too_costly');
    expect(details(query(1))).toEqual({ limit: 5_000, actual: 5_002 });
  });

  test('a page size in a variable, or in its default, counts', () => {
    const query = (declared: string) => `query(${declared}) {
      doctors(first: $n) { nodes { slots(first: $n) { nodes { id } } } } }`;
    expect(verdict(query('$n: Int'), { n: 60 })).toBe('passes');
    expect(verdict(query('$n: Int'), { n: 69 })).toBe('passes');
    expect(verdict(query('$n: Int'), { n: 70 })).toBe('query_too_costly');
    expect(verdict(query('$n: Int = 69'))).toBe('passes');
    expect(verdict(query('$n: Int = 70'))).toBe('query_too_costly');
    expect(verdict(query('$n: Int = 10'), { n: 70 })).toBe('query_too_costly');
    expect(verdict(query('$n: Int = 70'), { n: null })).toBe('passes');
  });

  test('rows of a connection count through fragments on it', () => {
    const direct = '{ doctors(first: 90) { nodes { slots(first: 90) { nodes { id } } } } }';
    const spread = `{ doctors(first: 90) { ...D } }
      fragment D on DoctorConnection { ... { nodes { ...E } } }
      fragment E on Doctor { slots(first: 90) { ...F } }
      fragment F on SlotConnection { nodes { id } }`;
    expect(measure(spread).cost).toBe(measure(direct).cost);
    expect(verdict(spread)).toBe('query_too_costly');
  });

  test('a page of zero rows costs its fields alone', () => {
    expect(measure('{ doctors(first: 0) { nodes { name } } }').cost).toBe(2);
  });
});

describe('pages', () => {
  test.each(['first', 'last'])('%s of 100 passes, 101 does not', (name) => {
    expect(verdict(`{ doctors(${name}: 100) { totalCount } }`)).toBe('passes');
    expect(verdict(`{ doctors(${name}: 101) { totalCount } }`)).toBe('page_too_large');
    const query = `query($n: Int) { doctors(${name}: $n) { totalCount } }`;
    expect(verdict(query, { n: 100 })).toBe('passes');
    expect(verdict(query, { n: 101 })).toBe('page_too_large');
    expect(details(query, { n: 101 })).toEqual({ limit: 100, actual: 101 });
  });

  test('first and last together count as the larger', () => {
    expect(verdict('{ doctors(first: 1, last: 101) { totalCount } }')).toBe('page_too_large');
  });

  test('a search costs the rows that it looks for, or those that it gives, whichever are more', () => {
    const rows = '{ nodes { id } }';
    expect(measure(`{ search ${rows} }`).cost).toBe(2 + 50);
    expect(measure(`{ search(pageSize: 80) ${rows} }`).cost).toBe(2 + 80);
    expect(measure(`{ search(pageSize: 80, first: 5) ${rows} }`).cost).toBe(2 + 80);
    expect(measure(`{ search(pageSize: 5, first: 80) ${rows} }`).cost).toBe(2 + 80);
    expect(verdict('{ search(pageSize: 100) { totalCount } }')).toBe('passes');
    expect(verdict('query($n: Int) { search(pageSize: $n) { totalCount } }', { n: 101 })).toBe(
      'page_too_large',
    );
    expect(verdict('{ search(pageSize: -1) { totalCount } }')).toBe('negative_paging');
  });

  test('an offset of 10,000 passes, more does not', () => {
    expect(verdict('{ slots(offset: 10000) { id } }')).toBe('passes');
    expect(verdict('{ slots(offset: 10001) { id } }')).toBe('offset_too_large');
    const query = 'query($n: Int = 10001) { doctors(offset: $n) { totalCount } }';
    expect(verdict(query)).toBe('offset_too_large');
    expect(verdict(query, { n: 10_000 })).toBe('passes');
  });

  test('a page behind a fragment and @skip counts', () => {
    const query = (n: number) => `{ ...A @skip(if: true) }
      fragment A on Query { doctors { nodes { slots(first: ${n}) { totalCount } } } }`;
    expect(verdict(query(30))).toBe('passes');
    expect(verdict(query(101))).toBe('page_too_large');
  });

  test('nothing is negative', () => {
    expect(verdict('{ doctors(first: -1) { totalCount } }')).toBe('negative_paging');
    expect(verdict('query($n: Int) { slots(offset: $n) { id } }', { n: -1 })).toBe(
      'negative_paging',
    );
  });
});

describe('counts', () => {
  test('15 aliases pass, 16 do not, also by spreading one again and again', () => {
    const aliases = (count: number) => `{ hospital { ${repeat(count, (i) => `a${i}: name`)} } }`;
    expect(verdict(aliases(15))).toBe('passes');
    expect(verdict(aliases(16))).toBe('too_many_aliases');
    const spread = (count: number) =>
      `{ hospital { ${'...A parent { '.repeat(count)} name ${'}'.repeat(count)} } }
       fragment A on Hospital { a: name b: name c: name }`;
    expect(measure(spread(5)).aliases).toBe(15);
    expect(verdict(spread(5))).toBe('passes');
    expect(verdict(spread(6))).toBe('too_many_aliases');
  });

  test('four directives pass, five do not, wherever they stand', () => {
    const query = (skip: string) => `query($yes: Boolean = true) {
        answer @include(if: $yes)
        ... @include(if: $yes) { hospital { ...A @include(if: $yes) } } }
      fragment A on Hospital { name @skip(if: false) ${skip} }`;
    expect(verdict(query(''))).toBe('passes');
    expect(verdict(query('parent @skip(if: false) { name }'))).toBe('too_many_directives');
  });

  test('ten root fields pass, eleven do not, also in fragments; __typename is free', () => {
    const query = (
      count: number,
    ) => `{ __typename answer ${repeat(count - 3, () => 'answer')} ...A }
      fragment A on Query { answer ... { answer } }`;
    expect(verdict(query(10))).toBe('passes');
    expect(verdict(query(11))).toBe('too_many_root_fields');
  });

  test('a request carries exactly one mutation', () => {
    expect(verdict('mutation { book(slot: 1) { id } }')).toBe('passes');
    expect(verdict('mutation { __typename book(slot: 1) { id } }')).toBe('passes');
    expect(verdict('mutation { book(slot: 1) { id } cancel(slot: 1) { id } }')).toBe(
      'one_mutation_a_request',
    );
    expect(verdict('mutation { a: book(slot: 1) { id } b: book(slot: 2) { id } }')).toBe(
      'one_mutation_a_request',
    );
    expect(
      verdict('mutation { ...A ...A @skip(if: true) } fragment A on Mutation { book { id } }'),
    ).toBe('one_mutation_a_request');
    expect(verdict('mutation { __typename }')).toBe('one_mutation_a_request');
  });

  test('1,000 tokens pass, 1,001 do not; comments are none', () => {
    const names = (count: number) => 'name '.repeat(count);
    const query = (count: number) =>
      `{ hospital { ${names(496)} parent { ${names(count - 8 - 496)} } } } # a b c`;
    expect(verdict(query(1_000))).toBe('passes');
    expect(verdict(query(1_001))).toBe('too_many_tokens');
    expect(details(query(9_000))).toEqual({ limit: 1_000, actual: 1_001 });
  });

  test('every operation of a document is judged, not the one that is asked for alone', () => {
    const query = 'query A { answer } mutation B { book { id } cancel { id } }';
    expect(verdict(query)).toBe('one_mutation_a_request');
  });
});

describe('introspection', () => {
  const standard = getIntrospectionQuery({
    descriptions: true,
    directiveIsRepeatable: true,
    inputValueDeprecation: true,
    schemaDescription: true,
    specifiedByUrl: true,
  });

  test('the standard query passes, with little to spare', () => {
    expect(verdict(standard)).toBe('passes');
    const { introspectionDepth } = measure(standard);
    expect(introspectionDepth).toBeLessThanOrEqual(DEFAULT_LIMITS.introspectionDepth);
    expect(introspectionDepth).toBeGreaterThan(DEFAULT_LIMITS.introspectionDepth - 3);
  });

  test('a deeper one does not', () => {
    const chain = (levels: number) =>
      `{ __type(name: "Query") ${'{ ofType '.repeat(levels)} { name } ${'}'.repeat(levels)} }`;
    expect(verdict(chain(14))).toBe('passes');
    expect(verdict(chain(15))).toBe('query_too_deep');
  });

  test('switched off, it is refused wherever it hides, and __typename is not', () => {
    const closed = createDocumentCheck(schema, { limits: DEFAULT_LIMITS, introspection: false });
    const scenario = (query: string) => closed(query).errors?.[0]?.extensions.scenario ?? 'passes';
    expect(scenario(standard)).toBe('introspection_disabled');
    expect(scenario('{ a: __type(name: "Query") { name } }')).toBe('introspection_disabled');
    expect(scenario('{ ...A } fragment A on Query { ... { __schema { __typename } } }')).toBe(
      'introspection_disabled',
    );
    expect(scenario('{ book { query { __schema { __typename } } } }')).toBe(
      'introspection_disabled',
    );
    expect(scenario('{ __typename answer }')).toBe('passes');
  });
});

describe('invalid requests', () => {
  const first = (query: string) => check(query).errors?.[0];

  test('are refused in our form, without suggestions', () => {
    const error = first('{ answr }');
    expect(error?.extensions).toMatchObject({ code: 'SK400', scenario: 'invalid_query' });
    expect(error?.message).toBe('Cannot query field "answr" on type "Query".');
    expect(first('{ hospital }')?.message).not.toContain('Did you mean');
    expect(first('{ doctors(frist: 1) { totalCount } }')?.message).not.toContain('Did you mean');
    expect(first('{ answer ')?.extensions).toMatchObject({ scenario: 'invalid_query' });
    expect(first('{ answer "')?.extensions).toMatchObject({ scenario: 'invalid_query' });
    expect(first('')?.extensions).toMatchObject({ scenario: 'invalid_query' });
  });

  test('variables of the wrong type are refused, too', () => {
    const query = 'query($n: Int!) { doctors(first: $n) { totalCount } }';
    expect(verdict(query, { n: 'ten' })).toBe('invalid_query');
    expect(verdict(query)).toBe('invalid_query');
    expect(verdict('mutation($i: BookInput!) { order(input: $i) }', { i: { slt: 1 } })).toBe(
      'invalid_query',
    );
    const { document } = check('mutation($i: BookInput!) { order(input: $i) }');
    if (!document) throw new Error('not valid');
    const refusal = checkRequest({ schema, document, variableValues: { i: { slt: 1, slot: 1 } } });
    expect(refusal?.message).toContain('slt');
    expect(refusal?.message).not.toContain('Did you mean');
  });

  test('an operation that is not there is refused', () => {
    const { document } = check('query A { answer } query B { answer }');
    if (!document) throw new Error('not valid');
    expect(checkRequest({ schema, document })?.extensions.scenario).toBe('invalid_query');
    expect(checkRequest({ schema, document, operationName: 'C' })).not.toBeNull();
    expect(checkRequest({ schema, document, operationName: 'B' })).toBeNull();
  });
});

describe('hostile documents are answered at once', () => {
  /** Milliseconds of the processor, in the best of three runs: others may keep the machine busy. */
  function timed(run: () => unknown): number {
    const times = [0, 1, 2].map(() => {
      const start = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1_000;
    });
    return Math.min(...times);
  }

  const bomb = (levels: number) =>
    `{ ...F0 } ${repeat(
      levels,
      (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`,
    )} fragment F${levels} on Query { hospital { name } }`;

  test('a fragment that doubles 80 times', () => {
    expect(verdict(bomb(80))).toBe('too_many_root_fields');
    expect(timed(() => check(bomb(80)))).toBeLessThan(50);
  });

  test('the same below a field, where only the cost grows', () => {
    const query = `{ hospital { ...F0 } } ${repeat(
      60,
      (i) => `fragment F${i} on Hospital { ...F${i + 1} ...F${i + 1} }`,
    )} fragment F60 on Hospital { name }`;
    expect(verdict(query)).toBe('query_too_costly');
    expect(details(query)).toEqual({ limit: 5_000, actual: Number.MAX_SAFE_INTEGER });
    expect(timed(() => check(query))).toBeLessThan(50);
  });

  test('spreads that double inside introspection', () => {
    const query = `{ __schema { types { ...F0 } } } ${repeat(
      60,
      (i) => `fragment F${i} on __Type { ofType { ...F${i + 1} } interfaces { ...F${i + 1} } }`,
    )} fragment F60 on __Type { name }`;
    expect(verdict(query)).toBe('query_too_deep');
    expect(timed(() => check(query))).toBeLessThan(50);
  });

  test('fragments that spread each other', () => {
    const query = `{ ...A } fragment A on Query { ...B hospital { ...C } }
      fragment B on Query { ...A } fragment C on Hospital { parent { ...C } }`;
    expect(verdict(query)).toBe('invalid_query');
    expect(timed(() => check(query))).toBeLessThan(50);
  });

  test('as many equal fields as there is room for', () => {
    const query = `{ hospital { ${'name '.repeat(995)} } }`;
    const fresh = () =>
      createDocumentCheck(schema, { limits: DEFAULT_LIMITS, introspection: true })(query);
    expect(timed(fresh)).toBeLessThan(400);
  });

  test('deep nesting, and a megabyte of brackets', () => {
    expect(timed(() => check('{ hospital '.repeat(330)))).toBeLessThan(50);
    expect(timed(() => check('{'.repeat(1_000_000)))).toBeLessThan(50);
    expect(verdict('['.repeat(1_000_000))).toBe('too_many_tokens');
  });

  test('the shape of a fragment bomb far beyond the tokens is judged in linear time', () => {
    const document = parse(bomb(1_000));
    expect(timed(() => checkShape(schema, document))).toBeLessThan(50);
  });
});

test('a good document comes back as the same object, a bad one does not fill the memory', () => {
  const remember = createDocumentCheck(schema, {
    limits: DEFAULT_LIMITS,
    introspection: true,
    cacheSize: 2,
  });
  const { document } = remember('{ answer }');
  expect(document).toBeDefined();
  for (let i = 0; i < 10; i++) remember(`{ wrong${i} }`);
  expect(remember('{ answer }').document).toBe(document);
  remember('{ __typename }');
  remember('{ hospital { name } }');
  expect(remember('{ answer }').document).not.toBe(document);
});
