import type { AuthServer } from './auth-server.ts';

/** The token in the newest mail to this address that still has its text; '' without one. */
export async function tokenMailedTo({ ownerPool }: AuthServer, address: string): Promise<string> {
  const { rows } = await ownerPool.query<{ body: string }>(
    `select body from app_private.outgoing_mail
     where address = $1 and body like '%{public_url}/%' order by id desc limit 1`,
    [address],
  );
  return /{public_url}\/\w+\/([\w.-]+)/.exec(rows[0]?.body ?? '')?.[1] ?? '';
}

/** Kinds of the security events of an account, oldest first. */
export async function eventsOf({ ownerPool }: AuthServer, accountId: string): Promise<string[]> {
  const { rows } = await ownerPool.query<{ kind: string }>(
    'select kind from app_public.security_event where account_id = $1 order by id',
    [accountId],
  );
  return rows.map(({ kind }) => kind);
}

/** Lets the database's clock run ahead while `story` lasts. */
export async function later<T>(
  { ownerPool }: AuthServer,
  by: string,
  story: () => Promise<T>,
): Promise<T> {
  await ownerPool.query('insert into app_private.clock_shift (shift) values ($1::interval)', [by]);
  try {
    return await story();
  } finally {
    await ownerPool.query('delete from app_private.clock_shift');
  }
}
