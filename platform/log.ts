import { type DestinationStream, type Logger, pino } from 'pino';

/** The log: JSON lines, one event each. */
export type Log = Logger;

const hidden = '[hidden]';

// Names under which secrets and patient data travel; hidden at the top and two levels down.
const secretNames = [
  'password',
  'secret',
  'secrets',
  'token',
  'accessToken',
  'refreshToken',
  'authorization',
  'cookie',
  'jwtSecrets',
  'dataKeys',
  'connectionString',
  'databaseUrl',
  'authenticatorUrl',
  'workerUrl',
  'variables',
  'parameters',
];

/**
 * Creates a log that writes to standard output, or to `destination`. Secrets are hidden by name,
 * and passwords inside URLs wherever they stand; of a database error only what tells nothing about
 * the data is kept.
 */
export function createLog(options: {
  name: string;
  level: string;
  destination?: DestinationStream;
}): Log {
  const settings = {
    name: options.name,
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: hidden,
    },
    serializers: { err: describeError, error: describeError },
    hooks: { streamWrite: hidePasswordsOfUrls },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

/** Takes the passwords out of every URL in a text. */
export function hidePasswordsOfUrls(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*):[^\s@/"]+@/gi, `$1:${hidden}@`);
}

/**
 * What may be told about an error: kind, message, stack, SQLSTATE and the names of the database
 * objects concerned. Postgres puts values of rows into `detail` and `where`; they stay out.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, schema, table, constraint, routine } = error as unknown as Record<string, unknown>;
  const facts = { code, schema, table, constraint, routine };
  const known = Object.entries(facts).filter(
    ([, value]) => typeof value === 'string' || typeof value === 'number',
  );
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...Object.fromEntries(known),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
