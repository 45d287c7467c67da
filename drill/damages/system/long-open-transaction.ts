import type { ClientBase } from 'pg';
import type { Damage } from '../../damage.ts';
import { theSystem } from './machinery.ts';

// Nobody can make a transaction older than it is; so long is made shorter.
async function countAsLong(db: ClientBase, span: string): Promise<void> {
  await db.query("select pg_catalog.set_config('slotkeeper.long_transaction', $1, true)", [span]);
}

export const longOpenTransaction: Damage = {
  check: 'long_open_transaction',
  story: 'Somebody began a transaction in psql and went to lunch.',
  ends: 'told',
  async inflict(db) {
    await countAsLong(db, '0');
    return theSystem;
  },
  async nearMiss(db) {
    await countAsLong(db, '1 hour');
  },
};
