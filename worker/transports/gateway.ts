import { signedPost } from './signed-post.ts';
import type { Channel, Message, SendOutcome, Transport } from './transport.ts';

export interface GatewayOptions {
  url: string;
  /** `whsec_` and base64, shared with the gateway. */
  secret: string;
  timeoutMs?: number;
}

/**
 * The operator's own gateway to a channel: each message is one signed request. The operator has named it,
 * so it may stand in the own network.
 */
export function createGateway(
  channel: Channel,
  { url, secret, timeoutMs = 15_000 }: GatewayOptions,
  bodyOf: (message: Message) => unknown,
): Transport {
  const closing = new AbortController();
  return {
    async send(message) {
      const outcome = await signedPost({
        url,
        secret,
        id: message.id,
        body: JSON.stringify({ channel, id: message.id, ...(bodyOf(message) as object) }),
        timeoutMs,
        signal: closing.signal,
        allowPrivate: true,
        allowPlain: true,
      });
      return judged(outcome);
    },
    async close() {
      closing.abort();
    },
  };
}

// 422: the gateway knows that nothing can ever be sent there. 401 and 403 are about the secret and not
// about the message; whoever does not answer at all answers nobody.
function judged({ statusCode, ...outcome }: SendOutcome & { statusCode?: number }): SendOutcome {
  if (outcome.kind === 'sent') return outcome;
  if (statusCode === 401 || statusCode === 403)
    return { kind: 'failed', reason: outcome.reason, isDown: true };
  if (outcome.kind === 'rejected') return { ...outcome, isBadAddress: statusCode === 422 };
  return { ...outcome, isDown: statusCode === undefined || statusCode === 503 };
}
