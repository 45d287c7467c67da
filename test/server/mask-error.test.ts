import { SafeError } from 'postgraphile/grafast';
import { GraphQLError, Source } from 'postgraphile/graphql';
import { describe, expect, test } from 'vitest';
import { describeForLog, HTTP_STATUS, Refusal, refusalFrom } from '../../server/errors.ts';
import { createMaskError, invalidQuery } from '../../server/graphql/mask-error.ts';

type Line = { level: 'warn' | 'error'; fields: Record<string, unknown>; message: string };

/** A mask with a log that can be read, and the mask's answer as the client gets it. */
function createMask() {
  const lines: Line[] = [];
  const mask = createMaskError({
    warn: (fields, message) => lines.push({ level: 'warn', fields, message }),
    error: (fields, message) => lines.push({ level: 'error', fields, message }),
  });
  const answer = (error: GraphQLError) => JSON.parse(JSON.stringify(mask(error)));
  return { mask, answer, lines, logged: () => JSON.stringify(lines) };
}

/** What a field's failure arrives as. */
function failed(originalError: Error): GraphQLError {
  const source = new Source('{ doctor }');
  return new GraphQLError(originalError.message, {
    originalError,
    path: ['doctor', 0, 'name'],
    source,
    positions: [2],
  });
}

/** An error as pg throws it. */
function sqlError(code: string, fields: Record<string, unknown> = {}): Error {
  return Object.assign(new Error('Jane Roe, measles'), {
    name: 'error',
    code,
    severity: 'ERROR',
    detail: 'Key (name)=(Jane Roe) already exists.',
    where: 'SQL statement "insert … Jane Roe"',
    table: 'patient',
    constraint: 'phone_is_unique',
    ...fields,
  });
}

const detail = (value: unknown) => ({ detail: JSON.stringify(value) });

describe('errors raised by our own SQL', () => {
  test('pass with message, scenario, details and hint', () => {
    const { answer, lines } = createMask();
    const error = sqlError('SK422', {
      message: 'The doctor is away.',
      hint: 'Take another day.',
      ...detail({ scenario: 'doctor_absent', recoverable: true, details: { until: '2031-01-01' } }),
    });
    expect(answer(failed(error))).toEqual({
      message: 'The doctor is away.',
      locations: [{ line: 1, column: 3 }],
      path: ['doctor', 0, 'name'],
      extensions: {
        code: 'SK422',
        scenario: 'doctor_absent',
        recoverable: true,
        details: { until: '2031-01-01' },
        hint: 'Take another day.',
      },
    });
    expect(lines).toEqual([]);
  });

  test.each(['SK400', 'SK401', 'SK403', 'SK404', 'SK409', 'SK422', 'SK429'])(
    '%s passes',
    (code) => {
      const { answer } = createMask();
      const error = sqlError(code, detail({ scenario: 'a_scenario' }));
      const { extensions } = answer(failed(error));
      expect(extensions).toEqual({
        code,
        scenario: 'a_scenario',
        recoverable: false,
        details: null,
        hint: null,
      });
    },
  );

  test.each([
    ['no detail', {}],
    ['a detail without a scenario', detail({ recoverable: true })],
    ['a detail that is not json', { detail: '{scenario' }],
    ['a code we do not have', { code: 'SK418', ...detail({ scenario: 'x' }) }],
    ['the code of masked errors', { code: 'SK500', ...detail({ scenario: 'x' }) }],
  ])('are masked with %s', (_what, fields) => {
    const { answer, lines, logged } = createMask();
    expect(answer(failed(sqlError('SK422', { detail: undefined, ...fields })))).toMatchObject({
      message: 'An unexpected error occurred',
      extensions: { code: 'SK500' },
    });
    expect(lines).toHaveLength(1);
    expect(logged()).not.toContain('Jane');
  });
});

describe('errors of Postgres, the pool and the network', () => {
  test.each([
    ['42501', 'SK403', 'forbidden', false],
    ['40001', 'SK409', 'try_again', true],
    ['40P01', 'SK409', 'try_again', true],
    ['55P03', 'SK409', 'try_again', true],
    ['57014', 'SK503', 'took_too_long', true],
    ['25P03', 'SK503', 'took_too_long', true],
    ['23P01', 'SK409', 'constraint_violated', false],
    ['23505', 'SK409', 'constraint_violated', false],
    ['23514', 'SK422', 'value_not_allowed', false],
    ['23503', 'SK422', 'value_not_allowed', false],
    ['23502', 'SK422', 'value_not_allowed', false],
    ['22P02', 'SK400', 'invalid_value', false],
    ['22021', 'SK400', 'invalid_value', false],
    ['53300', 'SK503', 'service_unavailable', true],
    ['53100', 'SK503', 'service_unavailable', true],
    ['08006', 'SK503', 'service_unavailable', true],
    ['57P01', 'SK503', 'service_unavailable', true],
  ])('%s becomes %s %s', (sqlstate, code, scenario, recoverable) => {
    const { answer, lines, logged } = createMask();
    const answered = answer(failed(sqlError(sqlstate)));
    expect(answered.extensions).toMatchObject({ code, scenario, recoverable, details: null });
    expect(JSON.stringify(answered)).not.toMatch(/Jane|patient|phone_is_unique/);
    expect(lines).toMatchObject([{ level: 'warn', fields: { scenario } }]);
    expect(logged()).not.toContain('Jane');
  });

  test('a network that is away is known by its code', () => {
    const error = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' });
    expect(refusalFrom(error)?.extensions.scenario).toBe('service_unavailable');
  });

  test('those of the pool have no code, and are known by their words', () => {
    const unavailable = [
      'timeout exceeded when trying to connect',
      'Connection terminated unexpectedly',
      'Connection terminated due to connection timeout',
      'Cannot use a pool after calling end on the pool',
      'Client has encountered a connection error and is not queryable',
    ];
    for (const message of unavailable) {
      expect(refusalFrom(new Error(message))?.extensions.scenario).toBe('service_unavailable');
    }
    expect(refusalFrom(new Error('Query read timeout'))?.extensions.scenario).toBe('took_too_long');
    expect(refusalFrom(new Error('a timeout exceeded elsewhere'))).toBeNull();
  });

  test('a class of SQLSTATEs is not taken for its neighbours', () => {
    for (const code of ['22012', '57000', '42883', 'P0001', 'XX000', '0A000']) {
      expect(refusalFrom(sqlError(code))).toBeNull();
    }
  });

  test('every code has the HTTP status that it says', () => {
    for (const [code, status] of Object.entries(HTTP_STATUS)) expect(code).toBe(`SK${status}`);
    expect(refusalFrom(sqlError('42501'))?.status).toBe(403);
    expect(refusalFrom(sqlError('53300'))?.status).toBe(503);
  });
});

describe('unexpected errors', () => {
  test('show nothing but an id, under which the log holds where, and no value', () => {
    const { answer, lines, logged } = createMask();
    const answered = answer(failed(sqlError('P0001', { cause: sqlError('23505') })));
    expect(answered.message).toBe('An unexpected error occurred');
    expect(answered.extensions).toMatchObject({
      code: 'SK500',
      scenario: 'unexpected_error',
      recoverable: false,
    });
    expect(answered.extensions.error_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(answered)).not.toMatch(/Jane|patient/);
    expect(lines).toMatchObject([
      {
        level: 'error',
        fields: {
          error_id: answered.extensions.error_id,
          path: 'doctor.0.name',
          error: { code: 'P0001', table: 'patient', cause: { code: '23505' } },
        },
      },
    ]);
    expect(logged()).not.toContain('Jane');
  });

  test('of the program are logged with their place, without what could be data', () => {
    const described = JSON.stringify(
      describeForLog(
        new Error('cannot read "Jane Roe" of jane@roe.example, 0170123456, `measles` in row', {
          cause: new Error('"Jane"'),
        }),
      ),
    );
    expect(described).not.toMatch(/Jane|jane|0170|measles/);
    expect(described).toContain('cannot read … of … …, … in row');
    expect(described).toContain('mask-error.test.ts');
  });

  test('a fault in our own SQL is logged with its message', () => {
    const error = sqlError('42703', { message: 'column "nam" does not exist' });
    expect(describeForLog(error)).toMatchObject({ message: 'column "nam" does not exist' });
    expect(describeForLog(sqlError('42501'))).not.toHaveProperty('message');
  });

  test('that are not errors at all are masked, too', () => {
    const { answer } = createMask();
    const broken = failed(new Error('x'));
    Object.defineProperty(broken, 'originalError', { value: 'Jane Roe' });
    expect(answer(broken).extensions.code).toBe('SK500');
  });

  test('a null in a field that cannot be null is one of them', () => {
    const { answer } = createMask();
    const error = new GraphQLError('Cannot return null for non-nullable field Doctor.name.', {
      path: ['doctor', 'name'],
      source: new Source('{ doctor }'),
      positions: [2],
    });
    expect(answer(error)).toMatchObject({ extensions: { code: 'SK500' } });
    expect(answer(error).message).not.toContain('Doctor');
  });

  test('and so is an error without a place in the request', () => {
    const { answer } = createMask();
    expect(answer(new GraphQLError('password of the pool'))).toMatchObject({
      message: 'An unexpected error occurred',
    });
  });
});

describe('errors of GraphQL itself', () => {
  test('lose their suggestions', () => {
    const message = 'Cannot query field "nam" on type "Doctor". Did you mean "name" or "names"?';
    expect(invalidQuery(message).message).toBe('Cannot query field "nam" on type "Doctor".');
    const use = 'Unknown type "Docto". Did you mean "Doctor"? It is a type.';
    expect(invalidQuery(use).message).toBe('Unknown type "Docto". It is a type.');
    expect(invalidQuery('Syntax Error: x').extensions).toMatchObject({
      code: 'SK400',
      scenario: 'invalid_query',
    });
  });

  test('a request error that comes by execution is translated, too', () => {
    const { answer } = createMask();
    const source = new Source('query($a: Int!) { a }');
    const error = new GraphQLError('Variable "$a" of required type "Int!" was not provided.', {
      source,
      positions: [6],
    });
    expect(answer(error)).toMatchObject({
      message: error.message,
      extensions: { code: 'SK400', scenario: 'invalid_query' },
    });
  });

  test('a bad cursor is the client’s fault, other safe errors are not known', () => {
    const { answer } = createMask();
    expect(answer(failed(new SafeError('Invalid cursor, please enter one.')))).toMatchObject({
      extensions: { code: 'SK400', scenario: 'invalid_query' },
    });
    expect(answer(failed(new SafeError('Failed to setup subscription')))).toMatchObject({
      extensions: { code: 'SK500' },
    });
  });

  test('running out of time is said', () => {
    const { answer } = createMask();
    const messages = [
      'Execution timeout exceeded, please simplify or add limits to your request.',
      'Operation took too long to plan and was aborted. Please simplify the request and try again.',
    ];
    for (const message of messages) {
      expect(answer(failed(new SafeError(message)))).toMatchObject({
        extensions: { code: 'SK503', scenario: 'took_too_long', recoverable: true },
      });
    }
  });
});

describe('passing twice', () => {
  test.each([
    ['an SQL error', failed(sqlError('SK404', detail({ scenario: 'slot_not_found' })))],
    ['a translated error', failed(sqlError('40P01'))],
    ['an unexpected error', failed(new Error('boom'))],
    ['an invalid query', invalidQuery('no')],
  ])('changes nothing in %s, and logs it once', (_what, error) => {
    const { mask, lines } = createMask();
    const once = mask(error);
    const count = lines.length;
    expect(mask(once).toJSON()).toEqual(once.toJSON());
    expect(lines).toHaveLength(count);
  });
});

test('an error wrapped again and again is found at the bottom', () => {
  const { answer } = createMask();
  const bottom = new Refusal({
    code: 'SK404',
    scenario: 'slot_not_found',
    message: 'No such slot.',
  });
  const safe = new SafeError('wrapped', {}, { cause: bottom });
  const wrapped = failed(failed(failed(safe)));
  expect(answer(wrapped)).toMatchObject({
    message: 'No such slot.',
    extensions: { scenario: 'slot_not_found' },
  });
});
