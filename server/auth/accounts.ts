import type { Pool, PoolClient } from 'pg';
import type { Role } from './claims.ts';
import { loginTransaction } from './login-transaction.ts';
import type { Origin } from './origin.ts';
import type { TokenReference } from './refresh-token.ts';

/** How long a session lasts, refreshed or not. */
export const SESSION_LIFETIME = '7 days';

/** What is needed to check a password. */
export type Credentials = {
  hospitalId: string;
  accountId: string;
  passwordHash: string;
  isLocked: boolean;
};

/** The credentials of somebody who is logged in, with what a new password must not be made of. */
export type Login = Credentials & { hospital: string; email: string; name: string; role: Role };

/** What an account must still show after its password, and the token to show it with. */
export type Challenge = { purpose: 'second_factor' | 'enrolment'; challenge: string };

/** What a right password opens. */
export type Entry = { session: Session } | { challenge: Challenge };

/** A session that is good, with its account as it is now. */
export type Session = {
  sessionId: string;
  hospitalId: string;
  accountId: string;
  role: Role;
  doctorId: string | null;
  patientId: string | null;
  email: string;
  displayName: string;
};

/** What a patient tells to get an account. */
export type Registration = {
  hospital: string;
  email: string;
  name: string;
  passwordHash: string;
  phone: string | null;
  dateOfBirth: string | null;
};

/** What became of a refresh token. */
export type Rotation = { session: Session } | { reusedSessionId: string } | null;

/**
 * The login functions of the database, each in a transaction of app_login. Errors are those of the
 * database, refusals among them.
 */
export class Accounts {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Null where there is no active account with a password. */
  async find(origin: Origin, hospital: string, email: string): Promise<Credentials | null> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<Credentials>(
        `select hospital_id as "hospitalId", account_id as "accountId",
           password_hash as "passwordHash", is_locked as "isLocked"
         from app_private.find_credentials(hospital_slug => $1::text, email => $2::text)`,
        [hospital, email],
      ),
    );
    return rows[0] ?? null;
  }

  /** Counts a wrong password. */
  async recordFailure(origin: Origin, account: Credentials): Promise<void> {
    await this.#transaction(origin, (client) =>
      client.query(
        'select app_private.record_failed_login(hospital_id => $1::uuid, account_id => $2::uuid)',
        [account.hospitalId, account.accountId],
      ),
    );
  }

  /** Writes that a login named no account; the address that was tried is not kept. */
  async recordUnknown(origin: Origin, hospital: string): Promise<void> {
    await this.#transaction(origin, (client) =>
      client.query('select app_private.record_unknown_login(hospital_slug => $1::text)', [
        hospital,
      ]),
    );
  }

  /** Credentials of somebody who is logged in; null when the account is not active any more. */
  async findLogin(origin: Origin, hospitalId: string, accountId: string): Promise<Login | null> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<Omit<Login, 'hospitalId' | 'accountId'>>(
        `select hospital, email, name, role, password_hash as "passwordHash", is_locked as "isLocked"
         from app_private.find_login(hospital_id => $1::uuid, account_id => $2::uuid)`,
        [hospitalId, accountId],
      ),
    );
    return rows[0] ? { ...rows[0], hospitalId, accountId } : null;
  }

  /**
   * Lets in somebody whose password was right: to a session, or to a challenge where more is needed.
   * Refuses with invalid_credentials when account or password have changed meanwhile.
   */
  enter(origin: Origin, account: Credentials, token: TokenReference): Promise<Entry> {
    const { accountId, hospitalId, passwordHash } = account;
    return this.#transaction(origin, async (client) => {
      const { rows } = await client.query<Challenge>(
        `select purpose, challenge
         from app_private.begin_challenge(
           hospital_id => $1::uuid, account_id => $2::uuid, password_hash => $3::text)`,
        [hospitalId, accountId, passwordHash],
      );
      if (rows[0]) return { challenge: rows[0] };
      return { session: await openSession(client, accountId, token, passwordHash) };
    });
  }

  /** Makes a patient with an account and opens its first session, or nothing at all. */
  register(
    origin: Origin,
    registration: Registration,
    tokenFor: (hospitalId: string) => TokenReference,
  ): Promise<Session> {
    const { hospital, email, name, passwordHash, phone, dateOfBirth } = registration;
    return this.#transaction(origin, async (client) => {
      const { rows } = await client.query<{ hospitalId: string; accountId: string }>(
        `select hospital_id as "hospitalId", account_id as "accountId"
         from app_private.register_patient(
           hospital_slug => $1::text, email => $2::text, name => $3::text,
           password_hash => $4::text, phone => $5::text, date_of_birth => $6::date)`,
        [hospital, email, name, passwordHash, phone, dateOfBirth],
      );
      const { hospitalId, accountId } = only(rows);
      return openSession(client, accountId, tokenFor(hospitalId), passwordHash);
    });
  }

  /** Uses up one refresh token for another; null when it is not good. */
  async rotate(origin: Origin, old: TokenReference, next: TokenReference): Promise<Rotation> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<SessionRow & { isReused: boolean }>(
        `select is_reused as "isReused", account_id as "accountId", ${SESSION_COLUMNS}
         from app_private.rotate_session(
           hospital_id => $1::uuid, old_token_hash => $2::bytea, new_token_hash => $3::bytea)`,
        [old.hospitalId, old.hash, next.hash],
      ),
    );
    const [row] = rows;
    if (!row) return null;
    const { isReused, ...session } = row;
    if (isReused) return { reusedSessionId: session.sessionId };
    return { session: { ...session, hospitalId: old.hospitalId } };
  }

  /** Ends the session of a refresh token; its id, or null when there was none to end. */
  async endSession(origin: Origin, token: TokenReference): Promise<string | null> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<{ ended: string | null }>(
        'select app_private.end_session(hospital_id => $1::uuid, token_hash => $2::bytea) as ended',
        [token.hospitalId, token.hash],
      ),
    );
    return only(rows).ended;
  }

  #transaction<T>(origin: Origin, work: (client: PoolClient) => Promise<T>): Promise<T> {
    return loginTransaction(this.#pool, origin, work);
  }
}

export type SessionRow = Omit<Session, 'hospitalId'>;

export const SESSION_COLUMNS = `session_id as "sessionId", role, doctor_id as "doctorId",
  patient_id as "patientId", email, display_name as "displayName"`;

async function openSession(
  client: PoolClient,
  accountId: string,
  { hospitalId, hash }: TokenReference,
  passwordHash: string,
): Promise<Session> {
  const { rows } = await client.query<Omit<SessionRow, 'accountId'>>(
    `select ${SESSION_COLUMNS}
     from app_private.open_session(
       hospital_id => $1::uuid, account_id => $2::uuid, token_hash => $3::bytea,
       lifetime => $4::interval, password_hash => $5::text)`,
    [hospitalId, accountId, hash, SESSION_LIFETIME, passwordHash],
  );
  return { ...only(rows), hospitalId, accountId };
}

export function only<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error('The login function returned no row.');
  return row;
}
