import { addJobs, type Queryable, sendWebhooksJob } from '../jobs.ts';
import { type PostOutcome, signedPost } from '../transports/signed-post.ts';
import type { Task } from './task.ts';

/** A webhook that is ours until its lease ends. */
interface Claim {
  delivery_id: string;
  lease: string;
  url: string;
  secrets: string[];
  event: string;
  event_id: string;
  payload: unknown;
  occurred_at: string;
}

const timeoutMs = 10_000;
// What is left then is done by the next job, so that hospitals whose receivers hang take turns with others.
const beginWithinMs = 5_000;
// What is due sooner than the sweep comes round has a job of its own.
const soonMs = 60_000;

/**
 * Tells the systems of a hospital what is due: claims, commits, sends, says how it went. The database
 * gives out a few for each target, so that one that hangs leaves room for the others. Who dies in between
 * leaves a lease that lapses; the same is sent again then, under the same id.
 */
export const sendWebhooks: Task<'send_webhooks'> = async (
  { hospital_id },
  { db, log, webhooks },
) => {
  const startedAt = performance.now();
  const inTurn = createTurn();
  const underWay = new Set<Promise<void>>();
  const settled: Record<string, number> = {};
  const tell = async (claim: Claim) => {
    const sentAt = performance.now();
    const outcome = await signedPost({
      url: claim.url,
      secret: claim.secrets,
      id: claim.event_id,
      body: bodyOf(claim),
      timeoutMs,
      allowPrivate: webhooks.allowPrivate,
    });
    const durationMs = Math.round(performance.now() - sentAt);
    await inTurn(() => settle(db, hospital_id, claim, outcome, durationMs));
    settled[outcome.kind] = (settled[outcome.kind] ?? 0) + 1;
  };
  try {
    for (;;) {
      const mayBegin = performance.now() - startedAt < beginWithinMs;
      const claims = mayBegin ? await inTurn(() => claim(db, hospital_id)) : [];
      for (const each of claims) {
        const telling = tell(each).finally(() => underWay.delete(telling));
        // Whoever waits for it hears of its error; nobody may be waiting yet.
        telling.catch(() => {});
        underWay.add(telling);
      }
      if (underWay.size === 0) break;
      await Promise.race(underWay);
    }
  } finally {
    await Promise.allSettled(underWay);
  }
  await addNext(db, hospital_id);
  const items = Object.values(settled).reduce((sum, count) => sum + count, 0);
  if (items > 0) log.info({ hospital_id, ...settled }, 'webhooks are sent');
  return { items };
};

/** The body, byte for byte the same at every try. */
function bodyOf({ event, occurred_at, payload }: Claim): string {
  return JSON.stringify({ type: event, timestamp: occurred_at, data: payload });
}

async function claim(db: Queryable, hospitalId: string): Promise<Claim[]> {
  const { rows } = await db.query<Claim>(
    `select delivery_id, lease, url, secrets, event, event_id, payload, occurred_at
       from app_private.claim_webhooks(hospital_id => $1::uuid)`,
    [hospitalId],
  );
  return rows;
}

async function settle(
  db: Queryable,
  hospitalId: string,
  { delivery_id, lease }: Claim,
  outcome: PostOutcome,
  durationMs: number,
): Promise<void> {
  const { statusCode, excerpt, retryAfter } = outcome;
  const kind = statusCode === 410 ? 'gone' : outcome.kind === 'sent' ? 'sent' : 'failed';
  await db.query(
    `select app_private.settle_webhook(
       hospital_id => $1::uuid, delivery_id => $2::uuid, lease => $3::uuid, kind => $4::text,
       status_code => $5::integer, error => $6::text, excerpt => $7::text, duration_ms => $8::integer,
       retry_after => $9::integer)`,
    [
      hospitalId,
      delivery_id,
      lease,
      kind,
      statusCode !== undefined && statusCode >= 100 && statusCode <= 999 ? statusCode : null,
      'reason' in outcome ? outcome.reason : null,
      excerpt ?? null,
      durationMs,
      statusCode === 429 ? (retryAfter ?? null) : null,
    ],
  );
}

async function addNext(db: Queryable, hospitalId: string): Promise<void> {
  const { rows } = await db.query<{ at: Date | null; wait: number }>(
    `select next.at, extract(epoch from next.at - app_private.clock())::float8 * 1000 as wait
       from app_private.next_webhook_at(hospital_id => $1::uuid) as next (at)`,
    [hospitalId],
  );
  const [next] = rows;
  if (!next?.at || next.wait > soonMs) return;
  // Never at once: what is due and was not claimed is under way elsewhere.
  const runAt = new Date(Date.now() + Math.max(next.wait, 1_000));
  // Under a key of its own, so that it puts off no job that waits to run now.
  const job = sendWebhooksJob(hospitalId);
  await addJobs(db, [{ ...job, key: `${job.key}:next`, runAt }]);
}

/** Does one after the other what shares a connection. */
function createTurn() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}
