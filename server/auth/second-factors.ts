import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Pool, PoolClient } from 'pg';
import { type DataKey, isSealedWithOldKey, open, seal } from '../../platform/sealed.ts';
import { only, SESSION_COLUMNS, SESSION_LIFETIME, type Session } from './accounts.ts';
import { loginTransaction } from './login-transaction.ts';
import type { Origin } from './origin.ts';
import type { TokenReference } from './refresh-token.ts';

const PERIOD_SECONDS = 30;
const RECOVERY_CODES = 10;

/** Whose second factor it is. */
export type Owner = { hospitalId: string; accountId: string };

/** What somebody shows: a one-time code, or a recovery code. */
export type Shown = { code?: string | undefined; recoveryCode?: string | undefined };

/** A right code, ready to be used up: by its step in time, or by its hash. */
export type Proof = { step: number | null; hash: Buffer | null };

type SessionOfAccount = Omit<Session, 'hospitalId'>;

/**
 * One-time codes by RFC 6238: six digits of SHA-1, 30 seconds, a step early or late. Secrets are sealed for
 * their account before the database gets them; a code is used up by its step, in the database.
 */
export class SecondFactors {
  readonly #pool: Pool;
  readonly #keys: readonly DataKey[];

  constructor(pool: Pool, keys: readonly DataKey[]) {
    this.#pool = pool;
    this.#keys = keys;
  }

  /** The account of a challenge that is still good, or null. */
  async findChallenge(
    origin: Origin,
    challenge: TokenReference,
    purpose: 'second_factor' | 'enrolment',
  ): Promise<string | null> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<{ accountId: string | null }>(
        `select app_private.find_challenge(
           hospital_id => $1::uuid, token_hash => $2::bytea, purpose => $3::app_private.login_purpose)
           as "accountId"`,
        [challenge.hospitalId, challenge.hash, purpose],
      ),
    );
    return only(rows).accountId;
  }

  /** The proof in what is shown, or null when it is wrong. That it was used before shows later. */
  async judge(origin: Origin, owner: Owner, { code, recoveryCode }: Shown): Promise<Proof | null> {
    if (recoveryCode !== undefined) {
      return { step: null, hash: hashOfRecoveryCode(owner, recoveryCode) };
    }
    const known = await this.#find(origin, owner);
    const step = known?.isConfirmed ? this.#stepOf(owner, known, code ?? '') : null;
    if (known === null || step === null) return null;
    await this.#reseal(origin, owner, known.sealedSecret);
    return { step, hash: null };
  }

  /** Counts a wrong code. */
  async recordFailure(origin: Origin, owner: Owner, challenge?: TokenReference): Promise<void> {
    await this.#transaction(origin, (client) =>
      client.query(
        `select app_private.fail_challenge(
           hospital_id => $1::uuid, account_id => $2::uuid, token_hash => $3::bytea)`,
        [owner.hospitalId, owner.accountId, challenge?.hash ?? null],
      ),
    );
  }

  /** Opens a session; challenge and code are used up. Refuses what was used before. */
  async pass(
    origin: Origin,
    challenge: TokenReference,
    { hash, step }: Proof,
    token: TokenReference,
  ): Promise<Session> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<SessionOfAccount>(
        `select account_id as "accountId", ${SESSION_COLUMNS}
         from app_private.pass_challenge(
           hospital_id => $1::uuid, challenge_hash => $2::bytea, step => $3::bigint,
           code_hash => $4::bytea, token_hash => $5::bytea, lifetime => $6::interval)`,
        [challenge.hospitalId, challenge.hash, step, hash, token.hash, SESSION_LIFETIME],
      ),
    );
    return { ...only(rows), hospitalId: challenge.hospitalId };
  }

  /** Keeps a new secret and returns it, for this once, with the URI that apps read from a picture. */
  async enrol(
    origin: Origin,
    owner: Owner,
    label: string,
  ): Promise<{ secret: string; uri: string }> {
    const secret = new Secret({ size: 20 });
    const sealed = seal(this.#keys, secret.base32, contextOf(owner));
    await this.#transaction(origin, (client) =>
      client.query(
        `select app_private.enrol_second_factor(
           hospital_id => $1::uuid, account_id => $2::uuid, sealed_secret => $3::text)`,
        [owner.hospitalId, owner.accountId, sealed],
      ),
    );
    return { secret: secret.base32, uri: totpOf(secret, label).toString() };
  }

  /**
   * Puts the second factor into force after a right code, and returns the recovery codes, for this once; null
   * when the code is wrong. With a challenge a session is opened too.
   */
  async confirm(
    origin: Origin,
    owner: Owner,
    code: string,
    entry: { challenge: TokenReference; token: TokenReference } | null,
  ): Promise<{ recoveryCodes: string[]; session: Session | null } | null> {
    const known = await this.#find(origin, owner);
    if (known === null || known.isConfirmed) return null;
    const step = this.#stepOf(owner, known, code);
    if (step === null) return null;
    const recoveryCodes = Array.from({ length: RECOVERY_CODES }, createRecoveryCode);
    const session = await this.#transaction(origin, async (client) => {
      await client.query(
        `select app_private.confirm_second_factor(
           hospital_id => $1::uuid, account_id => $2::uuid, sealed_secret => $3::text,
           step => $4::bigint, code_hashes => $5::bytea[])`,
        [
          owner.hospitalId,
          owner.accountId,
          known.sealedSecret,
          step,
          recoveryCodes.map((each) => hashOfRecoveryCode(owner, each)),
        ],
      );
      return entry && (await passEnrolment(client, entry));
    });
    return { recoveryCodes, session };
  }

  /** Takes the second factor away; refuses a code that was used before, and what the hospital requires. */
  async disable(origin: Origin, owner: Owner, { hash, step }: Proof): Promise<void> {
    await this.#transaction(origin, (client) =>
      client.query(
        `select app_private.disable_second_factor(
           hospital_id => $1::uuid, account_id => $2::uuid, step => $3::bigint, code_hash => $4::bytea)`,
        [owner.hospitalId, owner.accountId, step, hash],
      ),
    );
  }

  async #find(origin: Origin, owner: Owner): Promise<Known | null> {
    const { rows } = await this.#transaction(origin, (client) =>
      client.query<Known>(
        `select sealed_secret as "sealedSecret", is_confirmed as "isConfirmed", instant
         from app_private.find_second_factor(hospital_id => $1::uuid, account_id => $2::uuid)`,
        [owner.hospitalId, owner.accountId],
      ),
    );
    return rows[0] ?? null;
  }

  /** What was sealed with an old key is sealed with the present one when its code was right. */
  async #reseal(origin: Origin, owner: Owner, known: string): Promise<void> {
    if (!isSealedWithOldKey(this.#keys, known)) return;
    const context = contextOf(owner);
    const sealed = seal(this.#keys, open(this.#keys, known, context), context);
    await this.#transaction(origin, (client) =>
      client.query(
        `select app_private.reseal_second_factor(
           hospital_id => $1::uuid, account_id => $2::uuid, known_secret => $3::text,
           sealed_secret => $4::text)`,
        [owner.hospitalId, owner.accountId, known, sealed],
      ),
    );
  }

  #stepOf(owner: Owner, { instant, sealedSecret }: Known, code: string): number | null {
    const secret = Secret.fromBase32(open(this.#keys, sealedSecret, contextOf(owner)));
    const timestamp = instant.getTime();
    const delta = totpOf(secret, '').validate({ token: code, timestamp, window: 1 });
    return delta === null ? null : Math.floor(timestamp / 1_000 / PERIOD_SECONDS) + delta;
  }

  #transaction<T>(origin: Origin, work: (client: PoolClient) => Promise<T>): Promise<T> {
    return loginTransaction(this.#pool, origin, work);
  }
}

type Known = { sealedSecret: string; isConfirmed: boolean; instant: Date };

async function passEnrolment(
  client: PoolClient,
  { challenge, token }: { challenge: TokenReference; token: TokenReference },
): Promise<Session> {
  const { rows } = await client.query<SessionOfAccount>(
    `select account_id as "accountId", ${SESSION_COLUMNS}
     from app_private.pass_enrolment(
       hospital_id => $1::uuid, challenge_hash => $2::bytea, token_hash => $3::bytea,
       lifetime => $4::interval)`,
    [challenge.hospitalId, challenge.hash, token.hash, SESSION_LIFETIME],
  );
  return { ...only(rows), hospitalId: challenge.hospitalId };
}

/** What a secret is sealed for: nobody can put it with another account. */
function contextOf({ accountId, hospitalId }: Owner): string {
  return `second factor of ${hospitalId}/${accountId}`;
}

function totpOf(secret: Secret, label: string): TOTP {
  return new TOTP({
    issuer: 'slotkeeper',
    label,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD_SECONDS,
    secret,
  });
}

const LETTERS = 'abcdefghjkmnpqrstuvwxyz023456789';

/** 80 random bits: 16 letters and digits that look like no others, in fours. */
function createRecoveryCode(): string {
  const letters = [...randomBytes(16)].map((byte) => LETTERS[byte % LETTERS.length]).join('');
  return letters.replace(/(.{4})(?=.)/g, '$1-');
}

/** With that much chance in it, it needs no slow hash; the account in it makes it nobody else's. */
function hashOfRecoveryCode({ accountId, hospitalId }: Owner, code: string): Buffer {
  const letters = code.toLowerCase().replace(/[^a-z0-9]/g, '');
  return createHash('sha256').update(`${hospitalId}/${accountId}\n${letters}`).digest();
}
