import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { Webhook } from 'standardwebhooks';
import { addressIn, ForbiddenTarget, isPublic, judgedLookup } from './addresses.ts';
import type { SendOutcome } from './transport.ts';

export interface SignedPost {
  url: string;
  /** `whsec_` and base64; of several each signs. */
  secret: string | readonly string[];
  /** The same whenever this is sent again. */
  id: string;
  body: string;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Whether it may go to a private or local address. */
  allowPrivate?: boolean;
  /** Whether it may go without TLS to an address that is public, too. */
  allowPlain?: boolean;
}

/** How it went, with what the receiver said. */
export type PostOutcome = SendOutcome & {
  statusCode?: number;
  /** The beginning of the answer's body. */
  excerpt?: string;
  /** Seconds after which the receiver wants to be asked again. */
  retryAfter?: number;
};

const mostBytes = 65_536;
const excerptLength = 500;

/**
 * Posts JSON signed as Standard Webhooks say. Follows no redirect, reads no more than 64 kB of the answer,
 * goes only where it may, and never throws.
 */
export async function signedPost(post: SignedPost): Promise<PostOutcome> {
  const timeout = AbortSignal.timeout(post.timeoutMs);
  const signal = post.signal ? AbortSignal.any([post.signal, timeout]) : timeout;
  try {
    const { statusCode, retryAfter, excerpt } = await answerTo(post, signal);
    const said = { statusCode, excerpt, ...(retryAfter !== undefined && { retryAfter }) };
    if (statusCode >= 200 && statusCode < 300) return { kind: 'sent', ...said };
    const reason = `The receiver answered ${statusCode}.`;
    const isFinal = statusCode >= 400 && statusCode < 500 && ![408, 429].includes(statusCode);
    return { kind: isFinal ? 'rejected' : 'failed', reason, ...said };
  } catch (error) {
    if (error instanceof ForbiddenTarget) return { kind: 'failed', reason: error.message };
    const { code, name } = error as Error & { code?: string };
    const why = timeout.aborted ? 'TimeoutError' : (code ?? name);
    return { kind: 'failed', reason: `The receiver did not answer (${why}).` };
  }
}

interface Answer {
  statusCode: number;
  retryAfter: number | undefined;
  excerpt: string;
}

async function answerTo(post: SignedPost, signal: AbortSignal): Promise<Answer> {
  const { secret, id, body } = post;
  const url = URL.parse(post.url);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new ForbiddenTarget('The address of the receiver is not valid.');
  if (url.username !== '' || url.password !== '')
    throw new ForbiddenTarget('The address of the receiver carries credentials.');
  const judge = judgeOf(post, url.protocol === 'https:');
  const literal = addressIn(url);
  if (literal !== null) judge(literal);
  const timestamp = new Date();
  const secrets = typeof secret === 'string' ? [secret] : secret;
  const ask = url.protocol === 'https:' ? requestTls : requestPlain;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = ask(url, {
    method: 'POST',
    agent: false,
    lookup: judgedLookup(judge),
    signal,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'slotkeeper',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
      'webhook-signature': secrets
        .map((each) => new Webhook(each).sign(id, timestamp, body))
        .join(' '),
    },
  });
  request.on('error', reject);
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const answer = () => {
      resolve({
        statusCode: response.statusCode ?? 0,
        retryAfter: secondsIn(response.headers['retry-after']),
        excerpt: excerptOf(Buffer.concat(chunks)),
      });
      request.destroy();
    };
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= mostBytes) answer();
    });
    response.on('end', answer);
    response.on('error', reject);
    response.on('close', () => reject(Object.assign(new Error(), { code: 'ECONNRESET' })));
  });
  request.end(body);
  return promise;
}

function judgeOf({ allowPrivate = false, allowPlain = false }: SignedPost, isTls: boolean) {
  return (address: string): void => {
    const isOpen = isPublic(address);
    if (!isOpen && !allowPrivate)
      throw new ForbiddenTarget('The receiver is not in the public internet.');
    if (!isTls && !allowPlain && isOpen)
      throw new ForbiddenTarget('The receiver is asked without TLS.');
  };
}

// Postgres stores no zero byte.
function excerptOf(bytes: Buffer): string {
  return bytes.toString('utf8').replaceAll('\0', '').slice(0, excerptLength);
}

function secondsIn(header: string | undefined): number | undefined {
  if (header === undefined) return;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const instant = Date.parse(header);
  return Number.isNaN(instant) ? undefined : Math.max(0, Math.ceil((instant - Date.now()) / 1000));
}
