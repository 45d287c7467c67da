import type { Pool } from 'pg';
import { withTransaction } from '../../platform/pool.ts';
import { type ErrorCode, HTTP_STATUS, Refusal } from '../errors.ts';

/** The refusals that login raises by itself, not the database. */
const SCENARIOS = [
  'challenge_not_valid',
  'forbidden',
  'invalid_credentials',
  'invalid_input',
  'invalid_refresh_token',
  'invalid_token',
  'link_not_valid',
  'not_logged_in',
  'password_too_weak',
  'second_factor_enrolment_required',
  'second_factor_exists',
  'second_factor_not_found',
  'second_factor_required',
  'second_factor_wrong',
  'service_unavailable',
  'session_ended',
  'token_expired',
  'too_many_attempts',
  'visit_link_invalid',
] as const;

type Scenario = (typeof SCENARIOS)[number];

type Entry = { code: string; recoverable: boolean; message: string; hint: string };

/** The words of refusals, as the database's error_catalog has them. */
export class ErrorCatalog {
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(entries: ReadonlyMap<string, Entry>) {
    const missing = SCENARIOS.filter((scenario) => !isCode(entries.get(scenario)?.code));
    if (missing.length > 0) {
      throw new Error(`The error catalog lacks ${missing.join(', ')}. Is the database migrated?`);
    }
    this.#entries = entries;
  }

  /** The refusal of a scenario, to be thrown. */
  refusal(scenario: Scenario, details?: Readonly<Record<string, unknown>>): Refusal {
    const { code, ...words } = this.#entries.get(scenario) as Entry & { code: ErrorCode };
    return new Refusal({ code, scenario, ...words, details: details ?? {} });
  }
}

function isCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(HTTP_STATUS, code);
}

/** Reads the catalog; rejects when the database cannot be asked or is not migrated. */
export async function readErrorCatalog(pool: Pool): Promise<ErrorCatalog> {
  const { rows } = await withTransaction(pool, { role: 'app_anonymous' }, (client) =>
    client.query<Entry & { scenario: string }>(
      `select scenario, code, is_recoverable as recoverable, message, hint
       from app_public.error_catalog`,
    ),
  );
  return new ErrorCatalog(new Map(rows.map(({ scenario, ...entry }) => [scenario, entry])));
}
