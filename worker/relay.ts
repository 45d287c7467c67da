import type { Pool } from 'pg';
import type { Log } from '../platform/log.ts';
import { withTransaction } from '../platform/pool.ts';
import { answered, isConnectionLoss, pause } from './connection.ts';
import { addJobs, type NewJob, offerSeatsJob, planWebhooksJobs, type Queryable } from './jobs.ts';
import { deliveryOf, type FreedSeats, type OutboxMessage, topics } from './outbox.ts';
import { VerificationPace } from './verification-pace.ts';
import type { WebhookEvent } from './webhook-events.ts';

/** A relay that runs. */
export interface Relay {
  /** Settles with the reason when the database went away; the relay has stopped then. */
  lost: Promise<unknown>;
  /** Lets the relay finish its batch, and stops it. */
  stop(): Promise<void>;
}

export interface RelayOptions {
  pool: Pool;
  log: Log;
}

const batchSize = 1_000;
const idleMs = 200;
const silenceMs = 30_000;
const longestPauseMs = 5_000;

/**
 * Carries one batch from the outbox to the job queue and to those who listen, in one transaction: what
 * fails in between has not happened. Any number may do it at once. Returns how many messages it took.
 */
export async function relayBatch(
  pool: Pool,
  most = batchSize,
  pace = new VerificationPace(),
): Promise<number> {
  return withTransaction(pool, {}, async (db) => {
    const { rows: messages } = await db.query<OutboxMessage>(
      `select claim.id::text, claim.key, claim.hospital_id, claim.topic, claim.payload,
              to_json(claim.created_at) #>> '{}' as created_at
         from app_private.claim_outbox(topics => $1::text[], most => $2::integer) as claim
        order by claim.id`,
      [topics, most],
    );
    if (messages.length === 0) return 0;
    const { jobs, notifications, freed, told } = deliveryOf(messages, (hospitalId) =>
      pace.next(hospitalId),
    );
    await addJobs(db, [...jobs, ...(await offersFor(db, freed)), ...(await webhooksFor(db, told))]);
    if (notifications.length > 0) {
      await db.query(
        `select pg_catalog.pg_notify(note.channel, note.payload)
           from unnest($1::text[], $2::text[]) as note (channel, payload)`,
        [notifications.map(({ channel }) => channel), notifications.map(({ payload }) => payload)],
      );
    }
    return messages.length;
  });
}

/** One job for each of these doctors whom somebody waits for. */
async function offersFor(db: Queryable, freed: readonly FreedSeats[]): Promise<NewJob[]> {
  if (freed.length === 0) return [];
  const { rows } = await db.query<{ hospital_id: string; doctor_id: string }>(
    `select waited_for.hospital_id, waited_for.doctor_id
       from app_private.doctors_waited_for(
         hospital_ids => $1::uuid[], doctor_ids => $2::uuid[]) as waited_for`,
    [freed.map(({ hospital_id }) => hospital_id), freed.map(({ doctor_id }) => doctor_id)],
  );
  return rows.map(({ hospital_id, doctor_id }) => offerSeatsJob(hospital_id, doctor_id));
}

/** The jobs that plan webhooks, of the hospitals that have one. */
async function webhooksFor(
  db: Queryable,
  told: ReadonlyMap<string, readonly WebhookEvent[]>,
): Promise<NewJob[]> {
  if (told.size === 0) return [];
  const { rows } = await db.query<{ id: string }>(
    'select id from app_private.hospitals_with_webhooks(hospital_ids => $1::uuid[]) as hospital (id)',
    [[...told.keys()]],
  );
  return rows.flatMap(({ id }) => planWebhooksJobs(id, told.get(id) ?? []));
}

/**
 * Starts a relay: batch after batch while there is something to carry, else five looks a second. A
 * batch that fails is tried again, less and less often; that it fails is told once.
 */
export function startRelay({ pool, log }: RelayOptions): Relay {
  const stopping = new AbortController();
  const lost = Promise.withResolvers<unknown>();
  const done = keepRelaying(pool, log, stopping.signal).catch(lost.resolve);
  return {
    lost: lost.promise,
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

async function keepRelaying(pool: Pool, log: Log, signal: AbortSignal): Promise<void> {
  const pace = new VerificationPace();
  let failures = 0;
  while (!signal.aborted) {
    try {
      const taken = await answered(relayBatch(pool, batchSize, pace), silenceMs);
      if (failures > 0) log.info({ failures }, 'the relay works again');
      failures = 0;
      if (taken < batchSize) await pause(idleMs, signal);
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
      failures += 1;
      if (failures === 1) log.error({ err: error }, 'the relay failed, trying again');
      await pause(Math.min(idleMs * 2 ** failures, longestPauseMs), signal);
    }
  }
}
