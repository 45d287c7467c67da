import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openEndpoint } from './endpoint.ts';

type Endpoint = Awaited<ReturnType<typeof openEndpoint>>;
type Message = { type: string; id?: string; payload?: unknown };

const opened: Endpoint[] = [];

async function open(options: Parameters<typeof openEndpoint>[0] = {}): Promise<Endpoint> {
  const endpoint = await openEndpoint(options);
  opened.push(endpoint);
  return endpoint;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((endpoint) => endpoint.close()));
});

/** A socket whose messages are read one after the other. */
async function dial({ port }: Endpoint, path = '/graphql', protocol = 'graphql-transport-ws') {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol);
  const waiting: ((message: Message) => void)[] = [];
  const arrived: Message[] = [];
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message;
    const take = waiting.shift();
    if (take) take(message);
    else arrived.push(message);
  });
  const closed = once(socket, 'close').then(([code]) => Number(code));
  await once(socket, 'open');
  const send = (message: unknown) => socket.send(JSON.stringify(message));
  return {
    socket,
    closed,
    send,
    next: (): Promise<Message> => {
      const message = arrived.shift();
      return message ? Promise.resolve(message) : new Promise((resolve) => waiting.push(resolve));
    },
    init: (authorization?: unknown) =>
      send({ type: 'connection_init', payload: { authorization } }),
    subscribe: (id: string, query: string, variables?: unknown) =>
      send({ id, type: 'subscribe', payload: { query, variables } }),
  };
}

/** A socket that is logged in. */
async function login(endpoint: Endpoint, token = 'account1') {
  const client = await dial(endpoint);
  client.init(`Bearer ${token}`);
  expect(await client.next()).toEqual({ type: 'connection_ack' });
  return client;
}

async function* numbers(values: Iterable<number>) {
  yield* values;
}

/** Sends what it is told, until it is told to end. */
function createSource() {
  const requests: ((value: IteratorResult<number, void>) => void)[] = [];
  let ended = 0;
  const source = async function* () {
    try {
      for (;;) {
        const { promise, resolve } = Promise.withResolvers<IteratorResult<number, void>>();
        requests.push(resolve);
        const result = await promise;
        if (result.done) return;
        yield result.value;
      }
    } finally {
      ended += 1;
    }
  };
  return {
    source,
    emit: (value: number) => {
      for (const resolve of requests.splice(0)) resolve({ done: false, value });
    },
    listeners: () => requests.length,
    ended: () => ended,
  };
}

/** A busy machine takes its time. */
const SOON = { timeout: 30_000, interval: 10 };
const changes = 'subscription { slotsChanged { id } }';
const refused = (scenario: string, code = 'SK400') => [
  expect.objectContaining({ extensions: expect.objectContaining({ code, scenario }) }),
];

describe('a socket', () => {
  test('is opened by a token, and carries subscriptions', async () => {
    const endpoint = await open({ hooks: { slotsChanged: () => numbers([7, 8]) } });
    const client = await login(endpoint);
    client.subscribe('a', changes);
    expect(await client.next()).toEqual({
      id: 'a',
      type: 'next',
      payload: { data: { slotsChanged: { id: 7 } } },
    });
    expect(await client.next()).toMatchObject({ payload: { data: { slotsChanged: { id: 8 } } } });
    expect(await client.next()).toEqual({ id: 'a', type: 'complete' });
  });

  test.each([
    ['no token', undefined],
    ['a token that is not one', 'Bearer stranger'],
    ['another kind of login', 'Basic account1'],
    ['no text', 12],
    ['a token that cannot be checked', 'Bearer broken'],
  ])('is closed with %s', async (_what, authorization) => {
    const client = await dial(await open());
    client.init(authorization);
    expect(await client.closed).toBe(4403);
  });

  test('that does not say who it is, is closed', async () => {
    const hurried = await open();
    const client = await dial(hurried);
    client.subscribe('a', changes);
    expect(await client.closed).toBe(4401);
  });

  test('has an end: that of its token', async () => {
    const client = await login(await open(), 'account1.1000');
    expect(await client.closed).toBe(4403);
  });

  test('ends when its session is revoked, and others stay', async () => {
    const endpoint = await open();
    const [first, second] = [await login(endpoint, 'account1'), await login(endpoint, 'account2')];
    endpoint.walls.websockets.closeWhere(({ account }) => account === 'account1');
    expect(await first.closed).toBe(4403);
    expect(second.socket.readyState).toBe(WebSocket.OPEN);
  });

  test('ends when the server does, with its subscriptions', async () => {
    const source = createSource();
    const endpoint = await openEndpoint({ hooks: { slotsChanged: source.source } });
    const client = await login(endpoint);
    client.subscribe('a', changes);
    await expect.poll(source.listeners, SOON).toBe(1);
    await endpoint.close();
    expect(await client.closed).toBe(1001);
    source.emit(1);
    await expect.poll(source.ended, SOON).toBe(1);
  });

  test('may send 50 kB in a message, not more', async () => {
    const client = await login(await open());
    const sized = (bytes: number) => {
      const frame = JSON.stringify({ type: 'ping', payload: { x: '' } });
      return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
    };
    client.socket.send(sized(50_000));
    expect(await client.next()).toMatchObject({ type: 'pong' });
    client.socket.send(sized(50_001));
    expect(await client.closed).toBe(1009);
  });

  test('speaks one protocol, on one path', async () => {
    const endpoint = await open();
    const refusedUpgrade = async (path: string, protocol: string) => {
      const socket = new WebSocket(`ws://127.0.0.1:${endpoint.port}${path}`, protocol);
      const [error] = (await once(socket, 'error')) as [Error];
      return error.message;
    };
    expect(await refusedUpgrade('/other', 'graphql-transport-ws')).toContain('404');
    expect(await refusedUpgrade('/graphql', 'graphql-ws')).toContain('subprotocol');
  });

  test('that sends nonsense is closed', async () => {
    const client = await login(await open());
    client.socket.send('{"type":');
    expect(await client.closed).toBe(4400);
  });
});

describe('a subscription', () => {
  test.each([
    ['{ answer }', 'wrong_transport'],
    ['mutation { book { id } }', 'wrong_transport'],
    [
      'subscription { slotsChanged { doctor { slots(first: 101) { totalCount } } } }',
      'page_too_large',
    ],
    ['subscription { slotsChanged { idd } }', 'invalid_query'],
    ['subscription { slotsChanged', 'invalid_query'],
    [
      `subscription { slotsChanged { doctor { room { ${'hospital { parent { '.repeat(4)} name ${'} }'.repeat(4)} } } } }`,
      'query_too_deep',
    ],
    [`subscription { slotsChanged { ${'id '.repeat(1_000)} } }`, 'too_many_tokens'],
  ])('%s is refused', async (query, scenario) => {
    const client = await login(await open());
    client.subscribe('a', query);
    const message = await client.next();
    expect(message).toMatchObject({ id: 'a', payload: refused(scenario) });
    expect(message.type).toBe('error');
  });

  test('is limited by the values of its variables', async () => {
    const client = await login(await open({ hooks: { slotsChanged: () => numbers([]) } }));
    const query = `subscription($n: Int) {
      slotsChanged { doctor { slots(first: $n) { totalCount } } } }`;
    client.subscribe('a', query, { n: 101 });
    expect(await client.next()).toMatchObject({
      type: 'error',
      payload: refused('page_too_large'),
    });
    client.subscribe('b', query, { n: 100 });
    expect(await client.next()).toEqual({ id: 'b', type: 'complete' });
  });

  test('is one of twenty; one ended makes room for another', async () => {
    const source = createSource();
    const client = await login(await open({ hooks: { slotsChanged: source.source } }));
    for (let i = 0; i < 20; i++) client.subscribe(`s${i}`, changes);
    await expect.poll(source.listeners, SOON).toBe(20);
    client.subscribe('more', changes);
    expect(await client.next()).toEqual({
      id: 'more',
      type: 'error',
      payload: refused('too_many_subscriptions'),
    });
    client.send({ id: 's0', type: 'complete' });
    client.subscribe('more', changes);
    await expect.poll(source.listeners, SOON).toBe(21);
  });

  test('is asked for its token each time', async () => {
    const revoked = new Set<string>();
    const endpoint = await open({
      verify: async (token) => {
        if (revoked.has(token)) throw new Error('revoked');
        return { claims: { account: token } };
      },
    });
    const client = await login(endpoint);
    revoked.add('account1');
    client.subscribe('a', changes);
    expect(await client.next()).toMatchObject({
      type: 'error',
      payload: refused('session_ended', 'SK401'),
    });
  });

  test('knows its claims', async () => {
    const seen: unknown[] = [];
    const endpoint: Endpoint = await open({
      hooks: { slotsChanged: () => numbers([1]) },
      context: (context) => {
        seen.push(endpoint.walls.websockets.claimsOf(context));
        return {};
      },
    });
    const client = await login(endpoint, 'account9');
    client.subscribe('a', changes);
    expect(await client.next()).toMatchObject({ type: 'next' });
    await endpoint.ask('{ answer }');
    expect(seen).toEqual([{ account: 'account9' }, undefined]);
  });

  test('lives longer than the time an execution may take', async () => {
    const source = createSource();
    const client = await login(
      await open({ hooks: { slotsChanged: source.source }, timeouts: { execution: 500 } }),
    );
    client.subscribe('a', changes);
    await expect.poll(source.listeners, SOON).toBe(1);
    const late = performance.now() + 600;
    await expect.poll(() => performance.now() > late, SOON).toBe(true);
    source.emit(5);
    expect(await client.next()).toMatchObject({ payload: { data: { slotsChanged: { id: 5 } } } });
  });

  test('masks what goes wrong in an event, and goes on', async () => {
    const endpoint = await open({
      hooks: {
        slotsChanged: () => numbers([1, 2]),
        fail: () => Promise.reject(new Error('secret "Jane Roe"')),
      },
    });
    const client = await login(endpoint);
    client.subscribe('a', 'subscription { slotsChanged { id fails } }');
    for (const id of [1, 2]) {
      const message = await client.next();
      expect(message).toMatchObject({
        type: 'next',
        payload: {
          data: { slotsChanged: { id, fails: null } },
          errors: refused('unexpected_error', 'SK500'),
        },
      });
      expect(JSON.stringify([message, endpoint.lines])).not.toContain('Jane');
    }
    expect(await client.next()).toEqual({ id: 'a', type: 'complete' });
  });

  test('masks what goes wrong at its start', async () => {
    const endpoint = await open({
      hooks: {
        slotsChanged: () => {
          throw new Error('secret "Jane Roe"');
        },
      },
    });
    const client = await login(endpoint);
    client.subscribe('a', changes);
    const message = await client.next();
    expect(JSON.stringify(message)).toContain('unexpected_error');
    expect(JSON.stringify([message, endpoint.lines])).not.toContain('Jane');
  });
});
