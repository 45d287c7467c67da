import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { createChatTransport } from '../../worker/transports/chat.ts';
import { createSmsTransport } from '../../worker/transports/sms.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const message = {
  id: '0190aaaa-0000-7000-8000-000000000001',
  to: '+49 (170) 123-4567',
  subject: 'A seat has become free',
  text: 'Dr. One can see you on Monday.',
};

interface Request {
  headers: IncomingHttpHeaders;
  body: string;
}

async function startGateway(answer: (response: ServerResponse) => void) {
  const requests: Request[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ headers: request.headers, body });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  onTestFinished(async () => {
    if (server.listening) await close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`, requests, close };
}

const status = (code: number) => (response: ServerResponse) => response.writeHead(code).end();

test('a text message is a signed request, with an id that stays the same', async () => {
  const gateway = await startGateway(status(202));
  const transport = createSmsTransport({ url: gateway.url, secret });
  expect(await transport.send(message)).toMatchObject({ kind: 'sent' });
  expect(await transport.send(message)).toMatchObject({ kind: 'sent' });
  for (const { headers, body } of gateway.requests) {
    expect(headers['webhook-id']).toBe(message.id);
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual({
      channel: 'sms',
      id: message.id,
      to: '+491701234567',
      text: message.text,
    });
    const forged = body.replace('Monday', 'Friday');
    expect(() => new Webhook(secret).verify(forged, headers as Record<string, string>)).toThrow();
  }
  expect(gateway.requests).toHaveLength(2);
});

test('chat has a title and knows people by their address', async () => {
  const gateway = await startGateway(status(200));
  const transport = createChatTransport({ url: gateway.url, secret });
  await transport.send({ ...message, to: 'doctor@hospital.example' });
  expect(JSON.parse(gateway.requests[0]?.body ?? '')).toEqual({
    channel: 'chat',
    id: message.id,
    to: 'doctor@hospital.example',
    title: message.subject,
    text: message.text,
  });
});

test.each([
  [400, { kind: 'rejected', isBadAddress: false }],
  [422, { kind: 'rejected', isBadAddress: true }],
  [401, { kind: 'failed', isDown: true }],
  [403, { kind: 'failed', isDown: true }],
  [408, { kind: 'failed', isDown: false }],
  [429, { kind: 'failed', isDown: false }],
  [302, { kind: 'failed', isDown: false }],
  [500, { kind: 'failed', isDown: false }],
  [503, { kind: 'failed', isDown: true }],
] as const)('a gateway that answers %i', async (code, expected) => {
  const gateway = await startGateway(status(code));
  const outcome = await createSmsTransport({ url: gateway.url, secret }).send(message);
  expect(outcome).toMatchObject(expected);
  expect(JSON.stringify(outcome)).not.toContain('123');
});

test('a gateway that says nothing, or is not there', async () => {
  const gateway = await startGateway(() => {});
  const transport = createSmsTransport({ url: gateway.url, secret, timeoutMs: 200 });
  expect(await transport.send(message)).toMatchObject({ kind: 'failed', isDown: true });
  await gateway.close();
  expect(await transport.send(message)).toMatchObject({ kind: 'failed', isDown: true });
});
