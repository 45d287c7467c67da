import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { getIntrospectionQuery } from 'postgraphile/graphql';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readPersistedOperations } from '../../server/graphql/persisted.ts';
import { answerOf, openEndpoint } from './endpoint.ts';

type Endpoint = Awaited<ReturnType<typeof openEndpoint>>;

const opened: Endpoint[] = [];

async function open(options: Parameters<typeof openEndpoint>[0] = {}): Promise<Endpoint> {
  const endpoint = await openEndpoint(options);
  opened.push(endpoint);
  return endpoint;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((endpoint) => endpoint.close()));
});

/** What every refusal has. */
const form = (scenario: string) => ({
  message: expect.any(String),
  extensions: expect.objectContaining({
    code: expect.stringMatching(/^SK\d{3}$/),
    scenario,
    recoverable: expect.any(Boolean),
    hint: expect.any(String),
  }),
});

describe('over HTTP', () => {
  test('one operation as application/json is answered', async () => {
    const { ask } = await open();
    const { status, body } = await ask('query($t: String) { answer echo(text: $t) }', { t: 'hi' });
    expect(status).toBe(200);
    expect(body).toEqual({ data: { answer: 42, echo: 'hi' } });
  });

  test('charset=utf-8 may be said, anything else is 415', async () => {
    const { send } = await open();
    const body = '{"query":"{ answer }"}';
    const statusOf = async (type: string) => (await send(body, { 'content-type': type })).status;
    expect(await statusOf('application/json; charset=utf-8')).toBe(200);
    expect(await statusOf('application/json;charset="UTF-8"')).toBe(200);
    for (const type of [
      'application/json; charset=utf-16',
      'application/graphql',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonx',
      'text/plain; a=application/json',
    ]) {
      const { status, error } = await send(body, { 'content-type': type });
      expect([type, status]).toEqual([type, 415]);
      expect(error).toEqual(form('unsupported_media_type'));
    }
  });

  test('a packed body is 415: nothing is unpacked', async () => {
    const { url } = await open();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('{"query":"{ answer }"}'),
    });
    const { status, error } = await answerOf(response);
    expect(status).toBe(415);
    expect(error).toEqual(form('unsupported_media_type'));
  });

  test.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is 405', async (method) => {
    const { url } = await open();
    const response = await fetch(`${url}?query=${encodeURIComponent('{ answer }')}`, { method });
    expect(response.headers.get('allow')).toBe('POST');
    const { status, error } = await answerOf(response);
    expect(status).toBe(405);
    expect(error).toEqual(form('method_not_allowed'));
  });

  test('a body of 50 kB passes, a byte more is 413', async () => {
    const { send } = await open();
    const frame = '{"query":"{ answer }","variables":{"x":""}}';
    const sized = (bytes: number) => frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
    expect((await send(sized(50_000))).status).toBe(200);
    const { status, error } = await send(sized(50_001));
    expect(status).toBe(413);
    expect(error).toEqual(form('body_too_large'));
    expect(error?.extensions.details).toEqual({ limit: 50_000, actual: 50_001 });
  });

  test.each([
    ['grows without end', 'transfer-encoding: chunked'],
    ['is announced as huge', 'content-length: 1000000000'],
  ])('a body that %s is not waited for', async (_what, header) => {
    const { port } = await open();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}); // the server may close before it has read everything
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${header}\r\n\r\n`,
    );
    // A little over a megabyte, and no end: who still writes when the server closes may lose the answer.
    const chunk = `2710\r\n${' '.repeat(10_000)}\r\n`;
    socket.write(chunk.repeat(102));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(String(answer)).toContain('HTTP/1.1 413');
    expect(String(answer).toLowerCase()).toContain('connection: close');
  });

  test('a body that breaks off leaves nothing behind', async () => {
    const { port, ask, lines } = await open();
    const socket = connect(port, '127.0.0.1');
    socket.end(
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    );
    socket.resume();
    await once(socket, 'close');
    expect((await ask('{ answer }')).status).toBe(200);
    expect(lines).toEqual([]);
  });

  test.each([
    ['{"query": "{ answer }"', 'malformed_json'],
    ['jane roe', 'malformed_json'],
    ['', 'malformed_json'],
    ['null', 'invalid_request'],
    ['"{ answer }"', 'invalid_request'],
    ['{}', 'invalid_request'],
    ['{"query": 1}', 'invalid_request'],
    ['{"query": null}', 'invalid_request'],
    ['{"query": "{ answer }", "variables": "{}"}', 'invalid_request'],
    ['{"query": "{ answer }", "variables": []}', 'invalid_request'],
    ['{"query": "{ answer }", "operationName": 1}', 'invalid_request'],
    ['{"query": "{ answer }", "extensions": 1}', 'invalid_request'],
    ['[{"query": "{ answer }"}]', 'batching_disabled'],
    ['[]', 'batching_disabled'],
  ])('the body %s is refused cleanly', async (body, scenario) => {
    const { send, lines } = await open();
    const { status, error } = await send(body);
    expect(status).toBe(400);
    expect(error).toEqual(form(scenario));
    expect(JSON.stringify(error)).not.toContain('jane');
    expect(lines).toEqual([]);
  });

  test('what grafserv would refuse in its own words is in our form, too', async () => {
    const { ask } = await open();
    const { status, error } = await ask('{ answer }', {}, { accept: 'image/png' });
    expect(status).toBe(406);
    expect(error).toEqual(form('invalid_request'));
  });

  test('limits are refused with 400, in the form', async () => {
    const { ask } = await open();
    const page = 'query($n: Int) { doctors(first: $n) { totalCount } }';
    for (const [query, variables, scenario] of [
      [page, { n: 101 }, 'page_too_large'],
      [page, { n: 'x' }, 'invalid_query'],
      ['{ answr }', {}, 'invalid_query'],
      ['{ answer', {}, 'invalid_query'],
      ['mutation { book { id } cancel { id } }', {}, 'one_mutation_a_request'],
      ['query A { answer } query B { answer }', {}, 'invalid_query'],
      ['{ __schema { queryType { name } } }', {}, 'introspection_disabled'],
      ['subscription { slotsChanged { id } }', {}, 'wrong_transport'],
    ] as const) {
      const { status, error, body } = await ask(query, variables);
      expect([query, status]).toEqual([query, 400]);
      expect(error).toMatchObject(form(scenario));
      expect(body.data).toBeUndefined();
    }
    expect((await ask(page, { n: 100 })).status).toBe(200);
    expect((await ask('mutation { book { id } }')).body.data).toEqual({ book: { id: 1 } });
  });

  test('unknown fields of a body are dropped, such as onError', async () => {
    const { send } = await open({ hooks: { fail: () => Promise.reject(new Error('x')) } });
    const { status, body } = await send('{"query":"{ answer }","onError":"NONSENSE","x":1}');
    expect(status).toBe(200);
    expect(body).toEqual({ data: { answer: 42 } });
  });
});

describe('errors', () => {
  test('of a field are masked, with the id that the log has', async () => {
    const fail = () => Promise.reject(new Error('secret "Jane Roe"'));
    const { ask, lines } = await open({ hooks: { fail } });
    const { status, body, error } = await ask('{ fail(kind: "x") }');
    expect(status).toBe(200);
    expect(body.data).toEqual({ fail: null });
    expect(error).toEqual({
      ...form('unexpected_error'),
      locations: expect.anything(),
      path: ['fail'],
    });
    expect(lines).toMatchObject([
      { level: 'error', fields: { error_id: error?.extensions.error_id } },
    ]);
    expect(JSON.stringify([body, lines])).not.toContain('Jane');
  });

  test('of a pool that is exhausted are 503, with Retry-After', async () => {
    const fail = () => Promise.reject(new Error('timeout exceeded when trying to connect'));
    const { ask } = await open({ hooks: { fail } });
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const { status, headers, error } = await ask('{ fail(kind: "x") answer }', {}, { accept });
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toBe('1');
      expect(error?.extensions).toMatchObject({
        code: 'SK503',
        scenario: 'service_unavailable',
        recoverable: true,
      });
    }
  });

  test('of the context are masked, and not printed', async () => {
    const printed = vi.spyOn(console, 'error');
    const context = () => Promise.reject(new Error('secret "Jane Roe"'));
    const { ask, lines } = await open({ context });
    const { error } = await ask('{ answer }');
    expect(error).toMatchObject(form('unexpected_error'));
    expect(lines).toHaveLength(1);
    expect(JSON.stringify([error, lines])).not.toContain('Jane');
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  test('what hangs is answered when its time is up', async () => {
    const { ask } = await open({ timeouts: { answer: 1_000 } });
    const { status, error } = await ask('{ wait(milliseconds: 60000) }');
    expect(status).toBe(503);
    expect(error).toMatchObject(form('took_too_long'));
    expect((await ask('{ answer }')).status).toBe(200);
  });
});

describe('what is shown of the schema', () => {
  const page = { headers: { accept: 'text/html' } };

  test('in production: no introspection, no GraphiQL', async () => {
    const { ask, url } = await open({ production: true });
    expect((await ask(getIntrospectionQuery())).error).toMatchObject(
      form('introspection_disabled'),
    );
    expect((await fetch(url, page)).status).toBe(405);
    expect((await fetch(new URL('/', url), page)).status).toBe(404);
  });

  test('in production, switched on', async () => {
    const { ask, url } = await open({ production: true, introspection: true, graphiql: true });
    expect((await ask(getIntrospectionQuery())).body.data).toBeDefined();
    const response = await fetch(url, page);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    await response.text();
  });

  test('in development: both, and still no query by GET', async () => {
    const { ask, url } = await open({ production: false });
    expect((await ask(getIntrospectionQuery())).body.data).toBeDefined();
    expect((await fetch(url, page)).status).toBe(200);
    const asked = await fetch(`${url}?query={answer}`, { headers: { accept: 'application/json' } });
    expect(asked.status).toBe(405);
    const both = await fetch(`${url}?query={answer}`, page);
    expect(await both.text()).toContain('<!DOCTYPE html>');
  });
});

describe('a list of allowed operations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'operations-'));
  const path = join(folder, 'operations.json');
  const text = 'query Answer { answer }';
  const hash = createHash('sha256').update(text).digest('hex');
  writeFileSync(path, JSON.stringify({ [hash]: text, named: 'query Named { named: answer }' }));
  afterEach(() => vi.restoreAllMocks());

  test('runs what is listed, by any of its names or its text', async () => {
    const { send } = await open({ persistedOperationsPath: path });
    for (const body of [
      { documentId: hash },
      { id: hash },
      { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } },
      { query: text },
    ]) {
      expect((await send(JSON.stringify(body))).body).toEqual({ data: { answer: 42 } });
    }
    expect((await send('{"documentId":"named"}')).body).toEqual({ data: { named: 42 } });
    const other = JSON.stringify({ documentId: 'named', query: text });
    expect((await send(other)).body).toEqual({ data: { named: 42 } });
  });

  test('refuses the rest, and prints nothing of it', async () => {
    const printed = [
      vi.spyOn(console, 'error'),
      vi.spyOn(console, 'dir'),
      vi.spyOn(console, 'log'),
    ];
    const { send } = await open({ persistedOperationsPath: path });
    for (const body of [
      '{"query":"{ answer }","variables":{"name":"Jane Roe"}}',
      '{"documentId":"unknown"}',
      '{"documentId":"toString"}',
      '{"documentId":"__proto__"}',
      `{"query":${JSON.stringify(text)},"documentId":"unknown"}`,
      '{"extensions":{"persistedQuery":{"sha256Hash":1}}}',
    ]) {
      const { status, error } = await send(body);
      expect([body, status]).toEqual([body, 400]);
      expect(error).toEqual(form('operation_not_allowed'));
      expect(error?.extensions).not.toHaveProperty('statusCode');
    }
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });

  test('is checked when it is read', () => {
    const read = (content: string) => {
      const other = join(folder, 'other.json');
      writeFileSync(other, content);
      return () => readPersistedOperations(other);
    };
    expect(read('{"a":"query { a }"}')()).toEqual({ a: 'query { a }' });
    expect(read('[]')).toThrow('json object');
    expect(read('{"a":1}')).toThrow('a is not a text');
    expect(read('{"a":"query {"}')).toThrow('Syntax Error');
    expect(() => readPersistedOperations(join(folder, 'missing.json'))).toThrow('ENOENT');
    rmSync(folder, { recursive: true });
  });
});
