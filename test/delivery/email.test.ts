import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createEmailTransport, type EmailOptions } from '../../worker/transports/email.ts';
import { certificate, key } from './certificate.ts';
import { refusal, startMailServer } from './mail-server.ts';

const from = 'City Hospital <no-reply@hospital.example>';
const message = {
  id: '0190aaaa-0000-7000-8000-000000000001',
  to: 'anna@example.org',
  subject: 'Appointment booked',
  text: 'Your appointment with Dr. Müller is on Monday.',
};

function transportTo(options: Partial<EmailOptions> & { url: string }) {
  const transport = createEmailTransport({ from, ...options });
  onTestFinished(() => transport.close());
  return transport;
}

/** A server of bytes; what it says is up to `talk`. */
async function startTalker(talk: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    talk(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

test('a mail arrives with its words, its sender and an id that stays the same', async () => {
  const server = await startMailServer();
  const transport = transportTo({ url: `smtp://127.0.0.1:${server.port}` });
  const attachments = [
    { filename: 'visit.ics', contentType: 'text/calendar', content: 'BEGIN:VCALENDAR' },
  ];
  const id = `<${message.id}@hospital.example>`;
  expect(await transport.send(message)).toEqual({ kind: 'sent', reference: id });
  expect(await transport.send({ ...message, attachments })).toEqual({
    kind: 'sent',
    reference: id,
  });
  const [first, second] = server.arrived;
  expect(first?.to).toEqual(['anna@example.org']);
  expect(first?.mail).toMatchObject({
    messageId: id,
    subject: message.subject,
    from: { name: 'City Hospital', address: 'no-reply@hospital.example' },
    to: [{ address: 'anna@example.org' }],
  });
  expect(first?.mail.text?.trim()).toBe(message.text);
  expect(first?.mail.headers).toContainEqual(
    expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
  );
  expect(second?.mail.messageId).toBe(id);
  expect(second?.mail.attachments).toMatchObject([
    { filename: 'visit.ics', mimeType: 'text/calendar' },
  ]);
});

test('nothing that a person wrote becomes a header or another recipient', async () => {
  const server = await startMailServer();
  const transport = transportTo({ url: `smtp://127.0.0.1:${server.port}` });
  await transport.send({
    ...message,
    subject: 'Hello\r\nBcc: eve@evil.example\r\n\r\nBody',
    text: 'Line\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n',
    headers: {
      'X-Fine': 'yes',
      'X-Bad': 'no\r\nBcc: eve@evil.example',
      'X:Bad\r\nBcc': 'eve@evil.example',
    },
  });
  expect(server.arrived).toHaveLength(1);
  const { mail, to } = server.arrived[0] ?? {};
  expect(to).toEqual(['anna@example.org']);
  expect(mail?.bcc ?? []).toEqual([]);
  expect(mail?.headers.map((header) => header.key)).not.toContain('bcc');
  expect(mail?.headers.map((header) => header.key)).toContain('x-fine');
  expect(mail?.headers.map((header) => header.key)).not.toContain('x-bad');
  expect(mail?.subject).toBe('Hello Bcc: eve@evil.example Body');
  expect(mail?.text).toContain('MAIL FROM');
});

test.each([
  'anna@example.org, eve@evil.example',
  'anna@example.org\r\nBcc: eve@evil.example',
  'Anna <anna@example.org>',
  'anna',
  '',
])('%j is no address', async (to) => {
  const server = await startMailServer();
  const transport = transportTo({ url: `smtp://127.0.0.1:${server.port}` });
  expect(await transport.send({ ...message, to })).toMatchObject({
    kind: 'rejected',
    isBadAddress: true,
  });
  expect(server.arrived).toEqual([]);
});

test.each([
  ['STARTTLS', { disabledCommands: [], key, cert: certificate }, 'smtp', '?requireTLS=true'],
  ['TLS from the start', { secure: true, key, cert: certificate }, 'smtps', ''],
] as const)(
  '%s: a server with a certificate that is trusted, and only such a one',
  async (_, options, protocol, query) => {
    const isSecure: boolean[] = [];
    const server = await startMailServer({
      ...options,
      disabledCommands: [],
      onMailFrom(_address, session, done) {
        isSecure.push(session.secure);
        done();
      },
    });
    const url = `${protocol}://127.0.0.1:${server.port}${query}`;
    expect(await transportTo({ url, ca: certificate }).send(message)).toMatchObject({
      kind: 'sent',
    });
    expect(isSecure).toEqual([true]);
    expect(await transportTo({ url }).send(message)).toMatchObject({
      kind: 'failed',
      isDown: true,
    });
    expect(server.arrived).toHaveLength(1);
  },
);

test('TLS that is required and not offered: nothing is said in clear', async () => {
  const server = await startMailServer();
  const transport = transportTo({ url: `smtp://127.0.0.1:${server.port}?requireTLS=true` });
  expect(await transport.send(message)).toMatchObject({ kind: 'failed', isDown: true });
  expect(server.arrived).toEqual([]);
});

test('a password is not said in clear to a server elsewhere, unless the operator says so', async () => {
  const users: string[] = [];
  const server = await startMailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username }, _session, done) {
      users.push(username ?? '');
      done(null, { user: 'me' });
    },
  });
  // This machine, but not by a name that says so.
  const url = `smtp://me:swordfish@0.0.0.0:${server.port}`;
  expect(await transportTo({ url }).send(message)).toMatchObject({ kind: 'failed', isDown: true });
  expect(users).toEqual([]);
  expect(await transportTo({ url: `${url}?requireTLS=false` }).send(message)).toMatchObject({
    kind: 'sent',
  });
  expect(users).toEqual(['me']);
});

test('a login: the right one sends, a wrong one is the fault of the transport and is not told', async () => {
  const server = await startMailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, done) {
      if (username === 'me@x' && password === 'p@ss:word') done(null, { user: 'me' });
      else done(refusal(535, '5.7.8 no'));
    },
  });
  const right = transportTo({ url: `smtp://me%40x:p%40ss%3Aword@127.0.0.1:${server.port}` });
  expect(await right.send(message)).toMatchObject({ kind: 'sent' });
  const wrong = transportTo({ url: `smtp://me%40x:swordfish@127.0.0.1:${server.port}` });
  const outcome = await wrong.send(message);
  expect(outcome).toMatchObject({ kind: 'failed', isDown: true });
  expect(JSON.stringify(outcome)).not.toContain('swordfish');
});

test.each([
  [550, '5.1.1 <anna@example.org> unknown', { kind: 'rejected', isBadAddress: true }],
  [550, 'No such user anna@example.org', { kind: 'rejected', isBadAddress: true }],
  [552, '5.2.2 Mailbox full', { kind: 'rejected', isBadAddress: false }],
  [554, '5.7.1 Blocked by policy', { kind: 'rejected', isBadAddress: false }],
  [451, '4.7.1 Greylisted', { kind: 'failed', isDown: false }],
  [421, '4.3.2 Closing', { kind: 'failed', isDown: true }],
] as const)('a recipient that is answered %i %s', async (code, words, expected) => {
  const server = await startMailServer({
    onRcptTo: (_address, _session, done) => done(refusal(code, words)),
  });
  const outcome = await transportTo({ url: `smtp://127.0.0.1:${server.port}` }).send(message);
  expect(outcome).toMatchObject(expected);
  expect(JSON.stringify(outcome)).not.toContain('anna@');
  expect(JSON.stringify(outcome)).toContain(words.slice(0, 5));
});

test.each([
  [554, { kind: 'rejected' }],
  [451, { kind: 'failed', isDown: false }],
] as const)('words that are answered %i', async (code, expected) => {
  const server = await startMailServer({
    onData(stream, _session, done) {
      stream.on('end', () => done(refusal(code, 'Not these words'))).resume();
    },
  });
  const outcome = await transportTo({ url: `smtp://127.0.0.1:${server.port}` }).send(message);
  expect(outcome).toMatchObject(expected);
  expect(outcome).not.toHaveProperty('isBadAddress');
});

test('a sender that is refused is refused for every message', async () => {
  const server = await startMailServer({
    onMailFrom: (_address, _session, done) => done(refusal(550, '5.7.1 Not you')),
  });
  const transport = transportTo({ url: `smtp://127.0.0.1:${server.port}` });
  expect(await transport.send(message)).toMatchObject({ kind: 'failed', isDown: true });
});

test('a server that is not there, or that cannot be found', async () => {
  const server = await startMailServer();
  await server.close();
  const transport = transportTo({ url: `smtp://127.0.0.1:${server.port}` });
  expect(await transport.send(message)).toMatchObject({ kind: 'failed', isDown: true });
  const nowhere = transportTo({ url: 'smtp://nowhere.invalid:25', silenceMs: 1_000 });
  expect(await nowhere.send(message)).toMatchObject({ kind: 'failed', isDown: true });
});

test('a server that takes the call and says nothing', async () => {
  const transport = transportTo({
    url: `smtp://127.0.0.1:${await startTalker(() => {})}`,
    silenceMs: 200,
  });
  expect(await transport.send(message)).toMatchObject({ kind: 'failed', isDown: true });
});

test('a server that falls silent, or dies, in the middle of the words: of one message, not of all', async () => {
  for (const end of [() => {}, (socket: Socket) => socket.destroy()]) {
    const port = await startTalker((socket) => {
      socket.write('220 hello\r\n');
      let isData = false;
      socket.on('data', (chunk) => {
        if (isData) return end(socket);
        const text = chunk.toString();
        isData = text.startsWith('DATA');
        socket.write(isData ? '354 go\r\n' : '250 fine\r\n');
      });
    });
    // Long enough that a busy machine is not taken for a server that never greets.
    const transport = transportTo({ url: `smtp://127.0.0.1:${port}`, silenceMs: 3_000 });
    const outcome = await transport.send(message);
    expect(outcome).toMatchObject({ kind: 'failed', isDown: false, isLost: true });
  }
});
