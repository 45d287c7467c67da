import type { Queryable } from '../jobs.ts';
import { type Composable, compose } from '../transports/compose.ts';
import type { Message, SendOutcome, Transport } from '../transports/transport.ts';
import type { Task } from './task.ts';

/** A delivery that is ours until its lease ends. */
interface Claim extends Composable {
  lease: string;
}

/** A claim with the message that it becomes. */
interface Ready {
  claim: Claim;
  message: Message;
}

const mostClaimed = 50;
const mostAtOnce = 8;
// Of the lease of five minutes; what begins later could outlast it.
const beginWithinMs = 120_000;

/**
 * Sends what is due of a channel of a hospital: claims, commits, sends, says how it went. Who dies in
 * between leaves a lease that lapses; the same message goes out again then, under the same id. One that
 * fails says nothing of the others; a transport that cannot be reached ends the run, and the rest is
 * given back.
 */
export const sendDeliveries: Task<'send_deliveries'> = async (
  { hospital_id, channel },
  { db, links, log, transports },
) => {
  const transport = transports[channel];
  if (!transport) {
    const skipped = await skipAll(db, hospital_id, channel);
    if (skipped > 0 && transports.isNewsThatMissing(channel)) {
      log.warn(
        { channel },
        'no transport is configured for this channel; its messages are skipped',
      );
    }
    return;
  }
  const settled: Record<string, number> = {};
  let isDown = false;
  while (!isDown) {
    const { rows: claims } = await db.query<Claim>(
      `select delivery_id, notification_id, lease, address, title, body
         from app_private.claim_deliveries(
           hospital_id => $1::uuid, channel => $2::app_public.delivery_channel, most => $3::integer)`,
      [hospital_id, channel, mostClaimed],
    );
    if (claims.length === 0) break;
    const ready: Ready[] = [];
    for (const claim of claims) {
      ready.push({ claim, message: await compose(db, links, hospital_id, channel, claim) });
    }
    const settle = inTurn(db, hospital_id);
    isDown = await sendAll(ready, transport, async (claim, outcome) => {
      await settle(claim, outcome);
      settled[outcome.kind] = (settled[outcome.kind] ?? 0) + 1;
    });
  }
  if (isDown) log.warn({ hospital_id, channel, ...settled }, 'the transport cannot be reached');
  else if (Object.keys(settled).length > 0)
    log.info({ hospital_id, channel, ...settled }, 'messages are sent');
};

type Settled = SendOutcome | { kind: 'unsent'; reason?: string };

/**
 * Sends a few at once; the first alone, which shows whether the transport can be reached. Returns whether
 * it cannot. Everything is settled when it returns, unless the database fails.
 */
async function sendAll(
  ready: readonly Ready[],
  transport: Transport,
  settle: (claim: Claim, outcome: Settled) => Promise<void>,
): Promise<boolean> {
  const claimedAt = performance.now();
  const waiting = [...ready];
  let isDown = false;
  const sendNext = async ({ claim, message }: Ready) => {
    if (isDown || performance.now() - claimedAt > beginWithinMs) {
      await settle(claim, { kind: 'unsent' });
      return;
    }
    const outcome = await transport.send(message);
    if (outcome.kind === 'failed' && outcome.isDown) {
      isDown = true;
      await settle(claim, { kind: 'unsent', reason: outcome.reason });
    } else {
      await settle(claim, outcome);
    }
  };
  const sendOn = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await sendNext(next);
  };
  const [first] = waiting.splice(0, 1);
  if (first) await sendNext(first);
  // All of them end before this does, also when the database fails for one.
  const lanes = await Promise.allSettled(Array.from({ length: mostAtOnce }, sendOn));
  const failed = lanes.find((lane) => lane.status === 'rejected');
  if (failed) throw failed.reason;
  return isDown;
}

/** Says how tries went, one after the other: they share one connection. */
function inTurn(db: Queryable, hospitalId: string) {
  let last: Promise<unknown> = Promise.resolve();
  return ({ delivery_id, lease, address }: Claim, outcome: Settled): Promise<void> => {
    const next = last.then(async () => {
      await db.query(
        `select app_private.settle_delivery(
           hospital_id => $1::uuid, delivery_id => $2::uuid, lease => $3::uuid, kind => $4::text,
           error => $5::text, reference => $6::text, bad_address => $7::text)`,
        [
          hospitalId,
          delivery_id,
          lease,
          outcome.kind,
          'reason' in outcome ? outcome.reason : null,
          'reference' in outcome ? outcome.reference : null,
          outcome.kind === 'rejected' && outcome.isBadAddress ? address : null,
        ],
      );
    });
    last = next.catch(() => {});
    return next;
  };
}

async function skipAll(db: Queryable, hospitalId: string, channel: string): Promise<number> {
  for (let total = 0; ; ) {
    const { rows } = await db.query<{ count: number }>(
      `select app_private.skip_deliveries(
         hospital_id => $1::uuid, channel => $2::app_public.delivery_channel) as count`,
      [hospitalId, channel],
    );
    const count = rows[0]?.count ?? 0;
    total += count;
    if (count === 0) return total;
  }
}
