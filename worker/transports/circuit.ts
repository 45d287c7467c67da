import type { Message, SendOutcome, Transport } from './transport.ts';

const restMs = 30_000;
const mostLost = 3;

/**
 * Leaves a transport alone for a while after it could not be reached, whoever asks: nobody waits for the
 * timeout of every single message, and a server that comes back is not met by all of them at once. One
 * line that is lost in the middle may be the fault of its message; several one after the other are not.
 */
export function withCircuit<M extends Message, T extends Transport<M>>(
  transport: T,
  { restMs: rest = restMs, now = () => performance.now() } = {},
): Transport<M> {
  let closedUntil = Number.NEGATIVE_INFINITY;
  let reason = '';
  let lost = 0;
  return {
    async send(message: M): Promise<SendOutcome> {
      if (now() < closedUntil) return { kind: 'failed', reason, isDown: true };
      const outcome = await transport.send(message);
      const isLost = outcome.kind === 'failed' && outcome.isLost === true;
      lost = isLost ? lost + 1 : 0;
      if (outcome.kind === 'failed' && (outcome.isDown || lost >= mostLost)) {
        closedUntil = now() + rest;
        reason = outcome.reason;
      }
      return outcome;
    },
    close: () => transport.close(),
  };
}
