import type { Config } from './config.ts';
import type { Secrets } from './secrets.ts';

/** Where the three kinds of callers reach the database. */
export interface DatabaseUrls {
  /** The role that migrates. */
  databaseUrl: string;
  /** The login role of the server, app_authenticator. */
  authenticatorUrl: string;
  /** The login role of the worker, app_worker. */
  workerUrl: string;
}

/** Name of the database in the embedded Postgres. */
export const databaseName = 'slotkeeper';

/**
 * Builds the URLs of a database: those of the login roles are configured, or are the same address
 * with the passwords of secrets.json.
 */
export function databaseUrlsOf(
  databaseUrl: string,
  config: Pick<Config, 'authenticatorUrl' | 'workerUrl'>,
  secrets: Pick<Secrets, 'authenticatorPassword' | 'workerPassword'>,
): DatabaseUrls {
  const { authenticatorUrl, workerUrl } = config;
  const { authenticatorPassword, workerPassword } = secrets;
  return {
    databaseUrl,
    authenticatorUrl:
      authenticatorUrl ?? withLogin(databaseUrl, 'app_authenticator', authenticatorPassword),
    workerUrl: workerUrl ?? withLogin(databaseUrl, 'app_worker', workerPassword),
  };
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(name)}`;
  return changed.href;
}

function withLogin(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = user;
  changed.password = encodeURIComponent(password);
  return changed.href;
}
