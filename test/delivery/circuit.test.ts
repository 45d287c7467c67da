import { expect, test } from 'vitest';
import { withCircuit } from '../../worker/transports/circuit.ts';
import type { SendOutcome } from '../../worker/transports/transport.ts';

const message = { id: 'x', to: 'x', subject: 'x', text: 'x' };
const down: SendOutcome = { kind: 'failed', reason: 'away', isDown: true };
const lost: SendOutcome = { kind: 'failed', reason: 'broke off', isLost: true };
const sent: SendOutcome = { kind: 'sent' };

function scripted(outcomes: SendOutcome[]) {
  const clock = { ms: 0 };
  let asked = 0;
  const transport = withCircuit(
    {
      async send() {
        asked += 1;
        return outcomes.shift() ?? sent;
      },
      async close() {},
    },
    { restMs: 1_000, now: () => clock.ms },
  );
  return { transport, clock, asked: () => asked };
}

test('a transport that is away is asked again only after a rest', async () => {
  const { transport, clock, asked } = scripted([down]);
  expect(await transport.send(message)).toEqual(down);
  expect(await transport.send(message)).toEqual(down);
  clock.ms = 999;
  expect(await transport.send(message)).toEqual(down);
  expect(asked()).toBe(1);
  clock.ms = 1_000;
  expect(await transport.send(message)).toEqual(sent);
  expect(asked()).toBe(2);
});

test('one message that breaks off says nothing of the others; three one after the other do', async () => {
  const { transport, asked } = scripted([lost, lost, sent, lost, lost, lost]);
  for (let count = 0; count < 6; count += 1) await transport.send(message);
  expect(await transport.send(message)).toMatchObject({ kind: 'failed', isDown: true });
  expect(asked()).toBe(6);
});
