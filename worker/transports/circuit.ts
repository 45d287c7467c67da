import type { Message, SendOutcome, Transport } from './transport.ts';

const restMs = 30_000;

/**
 * Leaves a transport alone for a while after it could not be reached, whoever asks: nobody waits for the
 * timeout of every single message, and a server that comes back is not met by all of them at once.
 */
export function withCircuit<M extends Message, T extends Transport<M>>(
  transport: T,
  { restMs: rest = restMs, now = () => performance.now() } = {},
): Transport<M> {
  let closedUntil = Number.NEGATIVE_INFINITY;
  let reason = '';
  return {
    async send(message: M): Promise<SendOutcome> {
      if (now() < closedUntil) return { kind: 'failed', reason, isDown: true };
      const outcome = await transport.send(message);
      if (outcome.kind === 'failed' && outcome.isDown) {
        closedUntil = now() + rest;
        reason = outcome.reason;
      }
      return outcome;
    },
    close: () => transport.close(),
  };
}
