import 'postgraphile';
import type { Pool } from 'pg';
import {
  makePgService,
  makeWithPgClientViaPgClientAlreadyInTransaction as withClientInTransaction,
} from 'postgraphile/adaptors/pg';
import { withTransaction } from '../../platform/pool.ts';

type Adaptor = GraphileConfig.PgServiceConfiguration['adaptor'];
type WithPgClient = Awaited<ReturnType<Adaptor['createWithPgClient']>>;

/**
 * The database as PostGraphile sees it, with transactions of our own: claims and the first query
 * travel together, so that a mutation takes two round trips instead of four. The pool stays the
 * caller's.
 */
export function createPgService(pool: Pool, schemas: string[]) {
  const service = makePgService({ pool, schemas, pubsub: false });
  const withPgClient: WithPgClient = Object.assign(
    (settings: Record<string, string | undefined> | null, callback: Callback) =>
      withTransaction(pool, settings ?? {}, (client) =>
        withClientInTransaction(client, true)(null, callback),
      ),
    { release: () => {} },
  ) as WithPgClient;
  const adaptor: Adaptor = { ...service.adaptor, createWithPgClient: () => withPgClient };
  return { ...service, adaptor };
}

type Callback = Parameters<WithPgClient>[1];
