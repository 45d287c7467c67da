import { resolve } from 'node:path';
import { z } from 'zod';
import type { DataKey } from './sealed.ts';
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
  /** How long a request of the server waits for a connection to the database, in ms. */
  databaseWaitMs: number;
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
  /** Undefined means the generated ones of secrets.json. The first seals, all open. */
  dataKeys: DataKey[] | undefined;
  /** Keys with which a scheduler outside may start jobs; without any it may not. */
  cronApiKeys: string[];
  /** Keys with which monitoring outside may ask for the state of checks; without any it may not. */
  monitorApiKeys: string[];
  /** Where e-mails are handed in, and who sends them; undefined sends none. */
  email: { url: string; from: string } | undefined;
  /** The operator's gateways; undefined sends none. */
  sms: { url: string; secret: string } | undefined;
  chat: { url: string; secret: string } | undefined;
  /** Base of the addresses in messages and calendars, without a slash at its end. */
  publicUrl: string;
  /** Undefined means keys derived from the JWT secrets. The first signs, all verify. */
  linkSecrets: LinkSecret[] | undefined;
  /** Whether webhooks may go to private addresses, and there without TLS. */
  webhooksAllowPrivate: boolean;
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

const webUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
    'must be a URL such as https://gateway.example/sms',
  );
const webhookSecret = z
  .string()
  .regex(
    /^whsec_(?:[A-Za-z\d+/]{4}){8,}(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/,
    'must be whsec_ and at least 24 bytes in base64',
  );

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
  DATABASE_WAIT_MS: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'must be a number of milliseconds, from 1 to 99999')
    .transform(Number)
    .default(2_000),
  JWT_SECRETS: z.string().transform(readKeys).optional(),
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
  DATA_KEYS: z.string().transform(readKeys).optional(),
  CRON_API_KEYS: z.string().transform(readApiKeys).optional(),
  MONITOR_API_KEYS: z.string().transform(readApiKeys).optional(),
  SMTP_URL: z
    .string()
    .refine(
      isSmtpUrl,
      'must be a URL such as smtp://user:password@host:587 or smtps://user:password@host:465',
    )
    .optional(),
  MAIL_FROM: z
    .string()
    .regex(
      /^([^<>\p{Cc}]*<[^\s<>@\p{Cc}]+@[^\s<>@\p{Cc}]+>|[^\s<>@\p{Cc}]+@[^\s<>@\p{Cc}]+)$/u,
      'must be an address such as Hospital <no-reply@hospital.example>',
    )
    .optional(),
  SMS_WEBHOOK_URL: webUrl.optional(),
  SMS_WEBHOOK_SECRET: webhookSecret.optional(),
  CHAT_WEBHOOK_URL: webUrl.optional(),
  CHAT_WEBHOOK_SECRET: webhookSecret.optional(),
  PUBLIC_URL: z.string().transform(readPublicUrl).optional(),
  LINK_SECRETS: z.string().transform(readLinkSecrets).optional(),
  WEBHOOKS_ALLOW_PRIVATE: flag.optional(),
});

/** Variables that are of no use one without the other. */
const pairs = [
  ['SMTP_URL', 'MAIL_FROM'],
  ['SMS_WEBHOOK_URL', 'SMS_WEBHOOK_SECRET'],
  ['CHAT_WEBHOOK_URL', 'CHAT_WEBHOOK_SECRET'],
] as const;

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
  if (environment.NODE_ENV === 'production' && !environment.DATA_KEYS) {
    faults.push(
      'DATA_KEYS is required in production: kid:secret[,kid:secret], each secret at least 32 characters',
    );
  }
  for (const [one, other] of pairs) {
    if (!environment[one] !== !environment[other])
      faults.push(
        `${environment[one] ? other : one} is required with ${environment[one] ? one : other}`,
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
    databaseWaitMs: values.DATABASE_WAIT_MS,
    jwtSecrets: values.JWT_SECRETS,
    trustProxy: values.TRUST_PROXY,
    graphiql: values.GRAPHIQL ?? !isProduction,
    introspection: values.INTROSPECTION ?? !isProduction,
    logLevel: values.LOG_LEVEL,
    persistedOperations: operations === undefined ? undefined : resolve(workingFolder, operations),
    demo: values.DEMO ?? (values.DATABASE_URL === undefined && !isProduction),
    dataKeys: values.DATA_KEYS,
    cronApiKeys: values.CRON_API_KEYS ?? [],
    monitorApiKeys: values.MONITOR_API_KEYS ?? [],
    email: pairOf(values.SMTP_URL, values.MAIL_FROM, (url, from) => ({ url, from })),
    sms: pairOf(values.SMS_WEBHOOK_URL, values.SMS_WEBHOOK_SECRET, (url, secret) => ({
      url,
      secret,
    })),
    chat: pairOf(values.CHAT_WEBHOOK_URL, values.CHAT_WEBHOOK_SECRET, (url, secret) => ({
      url,
      secret,
    })),
    publicUrl: values.PUBLIC_URL ?? `http://${hostInUrl(values.HOST)}:${values.PORT}`,
    linkSecrets: values.LINK_SECRETS,
    webhooksAllowPrivate: values.WEBHOOKS_ALLOW_PRIVATE ?? false,
  };
}

function pairOf<T>(
  one: string | undefined,
  other: string | undefined,
  make: (one: string, other: string) => T,
): T | undefined {
  return one === undefined || other === undefined ? undefined : make(one, other);
}

function isSmtpUrl(text: string): boolean {
  return (
    URL.canParse(text) && /^smtps?:$/.test(new URL(text).protocol) && new URL(text).hostname !== ''
  );
}

function isDatabaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1 && url.username !== '';
}

function readKeys(text: string, context: z.core.$RefinementCtx<string>): JwtSecret[] {
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

// Two are valid at once, so that one can follow the other without a gap.
function readApiKeys(text: string, context: z.core.$RefinementCtx<string>): string[] {
  const keys = text.split(',').map((key) => key.trim());
  const complain = (message: string) => context.addIssue({ code: 'custom', message });
  if (keys.length > 2) complain('must hold one key, or two while one follows the other');
  if (keys.some((key) => key.length < 32)) complain('must hold keys of at least 32 characters');
  if (new Set(keys).size < keys.length) complain('must not hold one key twice');
  return keys;
}

// The name stands in every link.
function readLinkSecrets(text: string, context: z.core.$RefinementCtx<string>): LinkSecret[] {
  const secrets = readKeys(text, context);
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
