import { resolve } from 'node:path';
import { z } from 'zod';
import type { JwtSecret, LinkSecret } from './secrets.ts';

/** A validated configuration; relative paths have become absolute. */
export interface Config {
  environment: 'development' | 'production' | 'test';
  port: number;
  host: string;
  dataDir: string;
  /** URL of the role that migrates; undefined means the embedded Postgres. */
  databaseUrl: string | undefined;
  /** Port of the embedded Postgres; undefined lets it choose. */
  databasePort: number | undefined;
  authenticatorUrl: string | undefined;
  workerUrl: string | undefined;
  /** Undefined means the generated ones of secrets.json. The first signs, all verify. */
  jwtSecrets: JwtSecret[] | undefined;
  /** For Express' `trust proxy`: false, a number of hops, or addresses. */
  trustProxy: false | number | string;
  graphiql: boolean;
  introspection: boolean;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** File that lists the only operations that may run; undefined allows all. */
  persistedOperations: string | undefined;
  /** Whether the demo hospital is loaded: by default into the embedded database outside production. */
  demo: boolean;
  /** Base of the addresses in messages and calendars, without a slash at its end. */
  publicUrl: string;
  /** Undefined means keys derived from the JWT secrets. The first signs, all verify. */
  linkSecrets: LinkSecret[] | undefined;
}

/** The configuration has faults; the message lists every one of them. */
export class ConfigError extends Error {
  readonly faults: string[];
  constructor(faults: string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : 'faults'}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be a port number, at most 65535');
const portAbove0 = port.refine((value) => value > 0, 'must be a port number, at least 1');
const flag = z
  .enum(['true', 'false', '1', '0'], 'must be true or false')
  .transform((value) => value === 'true' || value === '1');
const databaseUrl = z
  .string()
  .refine(isDatabaseUrl, 'must be a URL such as postgres://user:password@host:5432/database');

const shape = z.object({
  NODE_ENV: z
    .enum(['development', 'production', 'test'], 'must be development, production or test')
    .default('development'),
  PORT: port.default(4000),
  HOST: z.string().default('127.0.0.1'),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: databaseUrl.optional(),
  DB_PORT: portAbove0.optional(),
  AUTHENTICATOR_URL: databaseUrl.optional(),
  WORKER_URL: databaseUrl.optional(),
  JWT_SECRETS: z.string().transform(readJwtSecrets).optional(),
  TRUST_PROXY: z.string().transform(readTrustProxy).default(false),
  GRAPHIQL: flag.optional(),
  INTROSPECTION: flag.optional(),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be trace, debug, info, warn, error, fatal or silent',
    )
    .default('info'),
  PERSISTED_OPERATIONS: z.string().optional(),
  DEMO: flag.optional(),
  PUBLIC_URL: z.string().transform(readPublicUrl).optional(),
  LINK_SECRETS: z.string().transform(readLinkSecrets).optional(),
});

/**
 * Reads the configuration from environment variables; an empty one counts as not set. Throws
 * {@link ConfigError} with every fault. The values of secrets and URLs never stand in it.
 */
export function readConfig(environment: NodeJS.ProcessEnv, workingFolder = process.cwd()): Config {
  const names = Object.keys(shape.shape);
  const given = Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value ? [[name, value]] : [];
    }),
  );
  const parsed = shape.safeParse(given);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  if (environment.NODE_ENV === 'production' && !environment.JWT_SECRETS) {
    faults.push(
      'JWT_SECRETS is required in production: kid:secret[,kid:secret], each secret at least 32 characters',
    );
  }
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  return toConfig(parsed.data, workingFolder);
}

function toConfig(values: z.infer<typeof shape>, workingFolder: string): Config {
  const isProduction = values.NODE_ENV === 'production';
  const { PERSISTED_OPERATIONS: operations } = values;
  return {
    environment: values.NODE_ENV,
    port: values.PORT,
    host: values.HOST,
    dataDir: resolve(workingFolder, values.DATA_DIR),
    databaseUrl: values.DATABASE_URL,
    databasePort: values.DB_PORT,
    authenticatorUrl: values.AUTHENTICATOR_URL,
    workerUrl: values.WORKER_URL,
    jwtSecrets: values.JWT_SECRETS,
    trustProxy: values.TRUST_PROXY,
    graphiql: values.GRAPHIQL ?? !isProduction,
    introspection: values.INTROSPECTION ?? !isProduction,
    logLevel: values.LOG_LEVEL,
    persistedOperations: operations === undefined ? undefined : resolve(workingFolder, operations),
    demo: values.DEMO ?? (values.DATABASE_URL === undefined && !isProduction),
    publicUrl: values.PUBLIC_URL ?? `http://${hostInUrl(values.HOST)}:${values.PORT}`,
    linkSecrets: values.LINK_SECRETS,
  };
}

function isDatabaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1 && url.username !== '';
}

function readJwtSecrets(text: string, context: z.core.$RefinementCtx<string>): JwtSecret[] {
  const secrets = text.split(',').map((entry) => {
    const [kid = '', ...rest] = entry.trim().split(':');
    return { kid, secret: rest.join(':') };
  });
  const complain = (message: string) => context.addIssue({ code: 'custom', message });
  if (secrets.some(({ kid, secret }) => !kid || !secret))
    complain('must be kid:secret[,kid:secret]');
  else if (secrets.some(({ secret }) => secret.length < 32))
    complain('must hold secrets of at least 32 characters');
  if (new Set(secrets.map(({ kid }) => kid)).size < secrets.length)
    complain('must not use one kid twice');
  return secrets;
}

// The name stands in every link.
function readLinkSecrets(text: string, context: z.core.$RefinementCtx<string>): LinkSecret[] {
  const secrets = readJwtSecrets(text, context);
  if (secrets.some(({ kid, secret }) => kid && secret && !/^[\w-]{1,32}$/.test(kid))) {
    const message = 'must name keys by at most 32 letters, digits, _ and -';
    context.addIssue({ code: 'custom', message });
  }
  return secrets;
}

function readPublicUrl(text: string, context: z.core.$RefinementCtx<string>): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isBase =
    url !== null && /^https?:$/.test(url.protocol) && !/[?#]/.test(text) && url.username === '';
  if (!isBase) {
    const message = 'must be the address of the server, such as https://visits.example.org';
    context.addIssue({ code: 'custom', message });
  }
  return text.replace(/\/+$/, '');
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

// `true` would let any client invent the address that the limits of logins are counted by.
function readTrustProxy(
  text: string,
  context: z.core.$RefinementCtx<string>,
): false | number | string {
  if (text === 'false' || text === '0') return false;
  if (/^\d{1,2}$/.test(text)) return Number(text);
  if (/^[\da-f.:/]+$|^(loopback|linklocal|uniquelocal)$/i.test(text) || text.includes(','))
    return text;
  context.addIssue({
    code: 'custom',
    message:
      'must be false, the number of proxies in front, or their addresses; true would trust every client',
  });
  return false;
}
