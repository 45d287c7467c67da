import { topics } from '../outbox.ts';
import type { Task } from './task.ts';

/**
 * Messages whose topic this code does not know stay in the outbox, because newer code may be about to
 * come for them. Until then they are told as an error, by count.
 */
export const reportUnknownTopics: Task<'report_unknown_topics'> = async (_payload, { db, log }) => {
  const { rows } = await db.query<{ topic: string; count: number; oldest: Date }>(
    `select outbox.topic, count(*)::integer as count, min(outbox.created_at) as oldest
       from app_private.outbox
      where outbox.topic <> all ($1::text[])
      group by outbox.topic`,
    [topics],
  );
  for (const { topic, count, oldest } of rows) {
    log.error({ topic, count, oldest }, 'messages in the outbox have a topic that no relay knows');
  }
  return { items: rows.length };
};
