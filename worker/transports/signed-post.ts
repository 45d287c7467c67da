import { Webhook } from 'standardwebhooks';
import type { SendOutcome } from './transport.ts';

export interface SignedPost {
  url: string;
  /** `whsec_` and base64. */
  secret: string;
  /** The same whenever this is sent again. */
  id: string;
  body: string;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Whether it may go to a private or local address. */
  allowPrivate?: boolean;
}

/** Posts JSON signed as Standard Webhooks say. Follows no redirect, and never throws. */
export async function signedPost({
  url,
  secret,
  id,
  body,
  timeoutMs,
  signal,
}: SignedPost): Promise<SendOutcome & { statusCode?: number }> {
  const timestamp = new Date();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      body,
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(id, timestamp, body),
      },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    await response.body?.cancel();
    const { status: statusCode } = response;
    if (statusCode >= 200 && statusCode < 300) return { kind: 'sent', statusCode };
    const reason = `The receiver answered ${statusCode}.`;
    const isFinal = statusCode >= 400 && statusCode < 500 && ![408, 429].includes(statusCode);
    return isFinal
      ? { kind: 'rejected', reason, statusCode }
      : { kind: 'failed', reason, statusCode };
  } catch (error) {
    const { cause, name } = error as Error & { cause?: { code?: string } };
    return { kind: 'failed', reason: `The receiver did not answer (${cause?.code ?? name}).` };
  }
}
