import { createLog } from '../../platform/log.ts';
import { createPool, type TransactionSettings, withTransaction } from '../../platform/pool.ts';

/** Connections of a load generator; every one of its clients may have one at once. */
export function openPool(url: string, max: number) {
  const log = createLog({ name: 'bench', level: 'warn' });
  return createPool({ url, applicationName: 'slotkeeper:bench', log, max, waitMs: 60_000 });
}

/**
 * Opens all connections beforehand, and runs `query` once in each, so that no measurement pays for
 * either.
 */
export async function connectAll(
  pool: ReturnType<typeof openPool>,
  count: number,
  settings: TransactionSettings = {},
  query = 'select',
): Promise<void> {
  const allOpen = new Gate(count);
  const open = () =>
    withTransaction(pool, settings, async (client) => {
      await client.query(query);
      await allOpen.pass();
    });
  await Promise.all(Array.from({ length: count }, open));
}

/** Lets everybody pass when the last one has come. */
class Gate {
  readonly #opened = Promise.withResolvers<void>();
  #missing: number;

  constructor(count: number) {
    this.#missing = count;
  }

  pass(): Promise<void> {
    this.#missing -= 1;
    if (this.#missing === 0) this.#opened.resolve();
    return this.#opened.promise;
  }
}
