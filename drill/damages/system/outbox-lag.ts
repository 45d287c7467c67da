import type { Damage } from '../../damage.ts';
import { letWorkerLive, theSystem } from './machinery.ts';

const leaveMessage = `
  insert into app_private.outbox (hospital_id, topic, key, payload, created_at)
  values ($1, 'drill', 'drill', '{}', now() - $2::interval)`;

export const outboxLag: Damage = {
  check: 'outbox_lag',
  story: 'A release wrote messages of a topic that the worker, not yet updated, does not know.',
  ends: 'told',
  async inflict(db, { hospitalId }) {
    await letWorkerLive(db);
    // The oldest are looked at first.
    await db.query('delete from app_private.outbox');
    await db.query(leaveMessage, [hospitalId, '2 minutes']);
    return theSystem;
  },
  async nearMiss(db, { hospitalId }) {
    await letWorkerLive(db);
    await db.query('delete from app_private.outbox');
    await db.query(leaveMessage, [hospitalId, '20 seconds']);
  },
};
