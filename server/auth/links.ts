import type { Pool, PoolClient } from 'pg';
import { loginTransaction } from './login-transaction.ts';
import type { Origin } from './origin.ts';
import type { TokenReference } from './refresh-token.ts';

/** Whose a link is: what a new password must not be made of. */
export type LinkOwner = { hospital: string; email: string; name: string };

/** Whose password has changed, and the sessions that ended with it. */
export type PasswordChange = { accountId: string; sessionIds: string[] };

/** The functions of the database for links in mails and for new passwords. */
export class Links {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Null for a link that is not good, for whatever reason. */
  async find(
    origin: Origin,
    token: TokenReference,
    purpose: 'invitation' | 'password_reset',
  ): Promise<LinkOwner | null> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<LinkOwner>(
        `select hospital, email, name
         from app_private.find_link(
           hospital_id => $1::uuid, token_hash => $2::bytea, purpose => $3::app_private.login_purpose)`,
        [token.hospitalId, token.hash, purpose],
      ),
    );
    return rows[0] ?? null;
  }

  /** Makes the account of an invitation and returns its id; refuses with link_not_valid. */
  async accept(origin: Origin, token: TokenReference, passwordHash: string): Promise<string> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<{ accountId: string }>(
        `select app_private.accept_invitation(
           hospital_id => $1::uuid, token_hash => $2::bytea, password_hash => $3::text) as "accountId"`,
        [token.hospitalId, token.hash, passwordHash],
      ),
    );
    return rows[0]?.accountId ?? '';
  }

  /** Has a link to a new password mailed, where the address has an account. */
  async requestReset(origin: Origin, hospital: string, email: string): Promise<void> {
    await this.#transaction(origin, (client) =>
      client.query(
        'select app_private.request_password_reset(hospital_slug => $1::text, email => $2::text)',
        [hospital, email],
      ),
    );
  }

  /** Sets a new password by its link; refuses with link_not_valid. */
  async reset(
    origin: Origin,
    token: TokenReference,
    passwordHash: string,
  ): Promise<PasswordChange> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<PasswordChange>(
        `select account_id as "accountId", session_ids as "sessionIds"
         from app_private.reset_password(
           hospital_id => $1::uuid, token_hash => $2::bytea, password_hash => $3::text)`,
        [token.hospitalId, token.hash, passwordHash],
      ),
    );
    return rows[0] ?? { accountId: '', sessionIds: [] };
  }

  /** Changes a password whose present hash is known; returns the other sessions, which have ended. */
  async change(
    origin: Origin,
    account: { hospitalId: string; accountId: string; passwordHash: string; sessionId: string },
    passwordHash: string,
  ): Promise<string[]> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<{ ended: string[] }>(
        `select app_private.change_password(
           hospital_id => $1::uuid, account_id => $2::uuid, known_hash => $3::text,
           password_hash => $4::text, session_id => $5::uuid) as ended`,
        [
          account.hospitalId,
          account.accountId,
          account.passwordHash,
          passwordHash,
          account.sessionId,
        ],
      ),
    );
    return rows[0]?.ended ?? [];
  }

  #transaction<T>(origin: Origin, work: (client: PoolClient) => Promise<T>): Promise<T> {
    return loginTransaction(this.#pool, origin, work);
  }
}
