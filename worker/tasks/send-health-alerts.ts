import type { Queryable } from '../jobs.ts';
import type { SendOutcome } from '../transports/transport.ts';
import type { Task } from './task.ts';

/** A message that is ours until its lease ends. */
interface Claim {
  id: string;
  lease: string;
  room: string;
  title: string;
  body: string;
}

type Settled = SendOutcome | { kind: 'unsent' | 'skipped'; reason?: string };

/**
 * Tells of what is new: the inbox in the database, at once, then the chat, message by message: claims,
 * commits, sends, says how it went. Who dies in between leaves a lease that lapses; the same message goes
 * out once more then, under the same id. A chat that cannot be reached ends the run, and nobody else waits
 * for it.
 */
export const sendHealthAlerts: Task<'send_health_alerts'> = async (
  { hospital_id },
  { db, log, transports },
) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.tell_of_health_alerts(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  const { chat } = transports;
  if (!chat && transports.isNewsThatMissing('chat')) {
    log.warn('no chat is configured; health alerts reach the inbox and the digest only');
  }
  let isDown = false;
  for (let claims = await claim(db, hospital_id); claims.length > 0; ) {
    for (const each of claims) {
      let outcome: Settled = { kind: chat ? 'unsent' : 'skipped' };
      if (chat && !isDown) {
        const { id, room, title, body } = each;
        outcome = await chat.send({ id, to: room, subject: title, text: body });
        if (outcome.kind === 'failed' && outcome.isDown) {
          isDown = true;
          outcome = { kind: 'unsent', reason: outcome.reason };
        }
      }
      await settle(db, hospital_id, each, outcome);
    }
    claims = isDown ? [] : await claim(db, hospital_id);
  }
  if (isDown) log.warn({ hospital_id }, 'the chat cannot be reached; health alerts wait for it');
  return { items: rows[0]?.count ?? 0 };
};

async function claim(db: Queryable, hospitalId: string): Promise<Claim[]> {
  const { rows } = await db.query<Claim>(
    `select id, lease, room, title, body
       from app_private.claim_health_messages(hospital_id => $1::uuid)`,
    [hospitalId],
  );
  return rows;
}

async function settle(
  db: Queryable,
  hospitalId: string,
  { id, lease }: Claim,
  outcome: Settled,
): Promise<void> {
  await db.query(
    `select app_private.settle_health_message(
       hospital_id => $1::uuid, delivery_id => $2::uuid, lease => $3::uuid, kind => $4::text, error => $5::text)`,
    [hospitalId, id, lease, outcome.kind, 'reason' in outcome ? (outcome.reason ?? null) : null],
  );
}
