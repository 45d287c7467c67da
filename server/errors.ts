/**
 * The one error form of the service, for GraphQL and for the Express routes alike:
 * `{code, scenario, recoverable, details, hint}` beside a message for people.
 *
 * SQL raises it itself (errcode SK…, `detail` = json, `hint`). What Postgres or the connection raises
 * on its own is translated here, in one table, and nothing of its text is passed on: its messages
 * carry names of constraints and values of rows.
 */

/** Every code that may leave the server, with the HTTP status an Express route answers it with. */
export const HTTP_STATUS = {
  SK400: 400,
  SK401: 401,
  SK403: 403,
  SK404: 404,
  SK409: 409,
  SK422: 422,
  SK429: 429,
  SK500: 500,
  SK503: 503,
} as const;

/** The kind of an error: SK followed by the HTTP status that fits it. */
export type ErrorCode = keyof typeof HTTP_STATUS;

/** What a refusal is made of. `status` only where HTTP knows a better one than the code's own. */
export type RefusalForm = {
  code: ErrorCode;
  scenario: string;
  message: string;
  recoverable?: boolean;
  details?: Readonly<Record<string, unknown>> | null;
  hint?: string | null;
  status?: number;
  cause?: unknown;
};

/** The `extensions` of a GraphQL error, and the body of an error of an Express route. */
export type ErrorExtensions = {
  code: ErrorCode;
  scenario: string;
  recoverable: boolean;
  details: Readonly<Record<string, unknown>> | null;
  hint: string | null;
  error_id?: string;
};

/** An error that is meant for the client: its message and form may be shown as they are. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly extensions: ErrorExtensions;
  readonly status: number;

  constructor(form: RefusalForm, errorId?: string) {
    super(form.message, form.cause === undefined ? undefined : { cause: form.cause });
    this.status = form.status ?? HTTP_STATUS[form.code];
    this.extensions = {
      code: form.code,
      scenario: form.scenario,
      recoverable: form.recoverable ?? false,
      details: form.details ?? null,
      hint: form.hint ?? null,
      ...(errorId === undefined ? null : { error_id: errorId }),
    };
  }
}

/** The answer to a fault nobody foresaw; the log holds the fault under the same `errorId`. */
export function unexpectedError(errorId: string): Refusal {
  return new Refusal(
    {
      code: 'SK500',
      scenario: 'unexpected_error',
      message: 'An unexpected error occurred',
      hint: 'Report the error id if this happens again.',
    },
    errorId,
  );
}

const forbidden: RefusalForm = {
  code: 'SK403',
  scenario: 'forbidden',
  message: 'You may not do this.',
  hint: 'Log in with an account that has the right role.',
};

const tryAgain: RefusalForm = {
  code: 'SK409',
  scenario: 'try_again',
  message: 'Something else was changing the same data at this moment.',
  recoverable: true,
  hint: 'Repeat the request unchanged, with the same idempotency key.',
};

const tookTooLong: RefusalForm = {
  code: 'SK503',
  scenario: 'took_too_long',
  message: 'The request took too long and was stopped.',
  recoverable: true,
  hint: 'Ask for less at once, or repeat the request with the same idempotency key.',
};

const serviceUnavailable: RefusalForm = {
  code: 'SK503',
  scenario: 'service_unavailable',
  message: 'The service cannot answer at this moment.',
  recoverable: true,
  hint: 'Repeat the request after a second, with the same idempotency key.',
};

const constraintConflict: RefusalForm = {
  code: 'SK409',
  scenario: 'constraint_violated',
  message: 'This contradicts something that is already stored.',
  hint: 'Read the current state again before you repeat the request.',
};

const constraintBroken: RefusalForm = {
  code: 'SK422',
  scenario: 'value_not_allowed',
  message: 'This is not allowed by the rules of the data.',
  hint: 'Check the values you sent.',
};

const invalidValue: RefusalForm = {
  code: 'SK400',
  scenario: 'invalid_value',
  message: 'A value has a form that its type does not allow.',
  hint: 'Check the values you sent.',
};

/** SQLSTATEs of Postgres, whole or by their class (the first two characters). */
const BY_SQLSTATE: Readonly<Record<string, RefusalForm>> = {
  '42501': forbidden, // insufficient_privilege, also a row that a policy does not let in
  '40001': tryAgain, // serialization_failure
  '40P01': tryAgain, // deadlock_detected
  '55P03': tryAgain, // lock_not_available: lock_timeout
  '57014': tookTooLong, // query_canceled: statement_timeout
  '25P03': tookTooLong, // idle_in_transaction_session_timeout
  '25P04': tookTooLong, // transaction_timeout
  '23P01': constraintConflict, // exclusion_violation
  '23505': constraintConflict, // unique_violation
  '23514': constraintBroken, // check_violation
  '23503': constraintBroken, // foreign_key_violation
  '23001': constraintBroken, // restrict_violation
  '23502': constraintBroken, // not_null_violation
  '44000': constraintBroken, // with_check_option_violation
  '22P02': invalidValue, // invalid_text_representation
  '22P05': invalidValue, // untranslatable_character
  '22001': invalidValue, // string_data_right_truncation
  '22003': invalidValue, // numeric_value_out_of_range
  '22007': invalidValue, // invalid_datetime_format
  '22008': invalidValue, // datetime_field_overflow
  '22009': invalidValue, // invalid_time_zone_displacement_value
  '22021': invalidValue, // character_not_in_repertoire: a NUL in a text
  '25006': serviceUnavailable, // read_only_sql_transaction: a standby
  '08': serviceUnavailable, // connection exceptions
  '53': serviceUnavailable, // too many connections, out of memory, disk full
  '57P01': serviceUnavailable, // admin_shutdown
  '57P02': serviceUnavailable, // crash_shutdown
  '57P03': serviceUnavailable, // cannot_connect_now
  '57P05': serviceUnavailable, // idle_session_timeout
};

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** pg and its pool have no codes for these. */
const POOL_MESSAGES: readonly (readonly [RegExp, RefusalForm])[] = [
  [/^timeout exceeded when trying to connect/, serviceUnavailable],
  [/^Connection terminated/, serviceUnavailable],
  [/^Cannot use a pool after calling end/, serviceUnavailable],
  [/^Client (was closed|has encountered a connection error)/, serviceUnavailable],
  [/^Query read timeout/, tookTooLong],
];

/** The planner and the executor of GraphQL say these when their own time is up. */
const TIMEOUT_MESSAGES = /^(Operation took too long to plan|Execution timeout exceeded)/;

/** The refusal for a request that ran out of its time. */
export function tookTooLongError(): Refusal {
  return new Refusal(tookTooLong);
}

/** The refusal for a request whose database, or whose server, cannot be asked just now. */
export function serviceUnavailableError(): Refusal {
  return new Refusal(serviceUnavailable);
}

/**
 * The client's view of any error, or null where there is none: an unexpected error, to be masked.
 * Our own SQL errors pass with their scenario; those of Postgres, the pool and the network are
 * translated, without a word of theirs.
 */
export function refusalFrom(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error;
  if (!(error instanceof Error)) return null;
  if (error.cause instanceof Refusal) return error.cause;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code !== null && isOurCode(code)) return raisedBySql(error, code);
  const form = formOf(error, code);
  return form === null ? null : new Refusal({ ...form, cause: error });
}

function formOf(error: Error, code: string | null): RefusalForm | null {
  if (code !== null) {
    const form = BY_SQLSTATE[code] ?? (code.length === 5 ? BY_SQLSTATE[code.slice(0, 2)] : null);
    if (form) return form;
    if (NETWORK_CODES.has(code)) return serviceUnavailable;
  }
  if (TIMEOUT_MESSAGES.test(error.message)) return tookTooLong;
  return POOL_MESSAGES.find(([message]) => message.test(error.message))?.[1] ?? null;
}

function isOurCode(code: string): code is ErrorCode {
  return Object.hasOwn(HTTP_STATUS, code) && code !== 'SK500';
}

/** Null when `detail` does not hold a scenario: then it is not one of ours, whatever its code says. */
function raisedBySql(error: Error, code: ErrorCode): Refusal | null {
  const detail = 'detail' in error ? parseDetail(error.detail) : null;
  if (detail === null) return null;
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : null;
  return new Refusal({ code, message: error.message, hint, cause: error, ...detail });
}

function parseDetail(
  detail: unknown,
): Pick<RefusalForm, 'scenario' | 'recoverable' | 'details'> | null {
  if (typeof detail !== 'string') return null;
  try {
    const parsed: unknown = JSON.parse(detail);
    if (!isRecord(parsed) || typeof parsed.scenario !== 'string') return null;
    const details = isRecord(parsed.details) ? parsed.details : null;
    return { scenario: parsed.scenario, recoverable: parsed.recoverable === true, details };
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where faults are written; a pino logger fits. */
export type ErrorLog = {
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
};

/**
 * What the log may know of an error: its kind and place, never a value. Of a Postgres error that is
 * SQLSTATE and the names of schema objects; its message, `detail` and `where` may quote rows, and
 * stay out, but for the message of a fault in our own SQL (class 42), which quotes names only.
 * Of other errors the message is kept with everything that could be data taken out.
 */
export function describeForLog(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { thrown: typeof error };
  const fields = namesOf(error);
  const cause =
    error.cause === undefined || depth >= 2 ? null : describeForLog(error.cause, depth + 1);
  if (typeof fields.code === 'string' && /^[0-9A-Z]{5}$/.test(fields.code)) {
    const isOwnFault = fields.code.startsWith('42') && fields.code !== '42501';
    const message = isOwnFault ? { message: error.message } : null;
    return { ...fields, ...message, ...(cause === null ? null : { cause }) };
  }
  return {
    ...fields,
    message: withoutValues(error.message),
    stack: framesOf(error),
    ...(cause === null ? null : { cause }),
  };
}

const SAFE_FIELDS = [
  'name',
  'code',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'routine',
];

function namesOf(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of SAFE_FIELDS) {
    const value: unknown = Reflect.get(error, field);
    if (typeof value === 'string') fields[field] = value;
  }
  return fields;
}

const VALUES = /"[^"]*"|`[^`]*`|\S+@\S+|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\d{4,}/gi;

function withoutValues(message: string): string {
  return message.slice(0, 1000).replace(VALUES, '…');
}

/** The frames alone: the first lines of a stack repeat the message. */
function framesOf(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('at ')).slice(0, 12);
}
