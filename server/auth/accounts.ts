import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../../platform/pool.ts';
import type { Role } from './claims.ts';
import type { TokenReference } from './refresh-token.ts';

/** How long a session lasts, refreshed or not. */
const SESSION_LIFETIME = '7 days';

/** What is needed to check a password. */
export type Credentials = {
  hospitalId: string;
  accountId: string;
  passwordHash: string;
  isLocked: boolean;
};

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
  async find(requestId: string, hospital: string, email: string): Promise<Credentials | null> {
    const { rows } = await this.#transaction(requestId, (client) =>
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
  async recordFailure(requestId: string, account: Credentials): Promise<void> {
    await this.#transaction(requestId, (client) =>
      client.query(
        'select app_private.record_failed_login(hospital_id => $1::uuid, account_id => $2::uuid)',
        [account.hospitalId, account.accountId],
      ),
    );
  }

  /** Opens a session; refuses with invalid_credentials when the account is not active any more. */
  openSession(requestId: string, accountId: string, token: TokenReference): Promise<Session> {
    return this.#transaction(requestId, (client) => openSession(client, accountId, token));
  }

  /** Makes a patient with an account and opens its first session, or nothing at all. */
  register(
    requestId: string,
    registration: Registration,
    tokenFor: (hospitalId: string) => TokenReference,
  ): Promise<Session> {
    const { hospital, email, name, passwordHash, phone, dateOfBirth } = registration;
    return this.#transaction(requestId, async (client) => {
      const { rows } = await client.query<{ hospitalId: string; accountId: string }>(
        `select hospital_id as "hospitalId", account_id as "accountId"
         from app_private.register_patient(
           hospital_slug => $1::text, email => $2::text, name => $3::text,
           password_hash => $4::text, phone => $5::text, date_of_birth => $6::date)`,
        [hospital, email, name, passwordHash, phone, dateOfBirth],
      );
      const { hospitalId, accountId } = only(rows);
      return openSession(client, accountId, tokenFor(hospitalId));
    });
  }

  /** Uses up one refresh token for another; null when it is not good. */
  async rotate(requestId: string, old: TokenReference, next: TokenReference): Promise<Rotation> {
    const { rows } = await this.#transaction(requestId, (client) =>
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
  async endSession(requestId: string, token: TokenReference): Promise<string | null> {
    const { rows } = await this.#transaction(requestId, (client) =>
      client.query<{ ended: string | null }>(
        'select app_private.end_session(hospital_id => $1::uuid, token_hash => $2::bytea) as ended',
        [token.hospitalId, token.hash],
      ),
    );
    return only(rows).ended;
  }

  #transaction<T>(requestId: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const settings = {
      role: 'app_login',
      'claims.role': 'anonymous',
      'claims.request_id': requestId,
    };
    return withTransaction(this.#pool, settings, work);
  }
}

type SessionRow = Omit<Session, 'hospitalId'>;

const SESSION_COLUMNS = `session_id as "sessionId", role, doctor_id as "doctorId",
  patient_id as "patientId", email, display_name as "displayName"`;

async function openSession(
  client: PoolClient,
  accountId: string,
  { hospitalId, hash }: TokenReference,
): Promise<Session> {
  const { rows } = await client.query<Omit<SessionRow, 'accountId'>>(
    `select ${SESSION_COLUMNS}
     from app_private.open_session(
       hospital_id => $1::uuid, account_id => $2::uuid, token_hash => $3::bytea,
       lifetime => $4::interval)`,
    [hospitalId, accountId, hash, SESSION_LIFETIME],
  );
  return { ...only(rows), hospitalId, accountId };
}

function only<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error('The login function returned no row.');
  return row;
}
