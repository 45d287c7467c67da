import { stripVTControlCharacters } from 'node:util';
import { commit, Logger, migrate, type Settings, watch } from 'graphile-migrate';
import { getSettingsFromJSON } from 'graphile-migrate/dist/commands/_common.js';
import { clearAllPools } from 'graphile-migrate/dist/pgReal.js';

/** Where the runner works. */
export interface RunnerOptions {
  /** The project's folder, which holds .gmrc and migrations/. */
  folder: string;
  databaseUrl: string;
  /** Told what the runner does, line by line. */
  say: (message: string) => void;
}

/** Runs the committed migrations that are missing, and then, if wanted, the current one. */
export async function runMigrations(options: RunnerOptions, withCurrent: boolean): Promise<void> {
  const settings = await settingsOf(options);
  await explained(() => (withCurrent ? watch(settings, true) : migrate(settings)));
}

/** Makes the current migration a committed one, after trying it on two databases of its own. */
export async function commitCurrent(
  options: RunnerOptions & { rootUrl: string; shadowUrl: string },
  message: string | undefined,
): Promise<void> {
  const settings = {
    ...(await settingsOf(options)),
    rootConnectionString: options.rootUrl,
    shadowConnectionString: options.shadowUrl,
  };
  await explained(() => commit(settings, message));
}

async function settingsOf({ folder, databaseUrl, say }: RunnerOptions): Promise<Settings> {
  const settings = (await getSettingsFromJSON(`${folder}/.gmrc`)) as Settings;
  return {
    ...settings,
    connectionString: databaseUrl,
    rootConnectionString: new URL('/template1', databaseUrl).href,
    migrationsFolder: `${folder}/migrations`,
    // A migration that waits for a lock makes everybody behind it wait too; it gives up and is
    // tried again instead.
    pgSettings: { ...settings.pgSettings, lock_timeout: '2s' },
    logger: new Logger(() => (_level, message) => say(stripVTControlCharacters(message))),
  };
}

async function explained(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const explanation = (error as { _gmMessageOverride?: string })._gmMessageOverride;
    if (!explanation) throw error;
    const { code } = error as { code?: string };
    throw Object.assign(new Error(stripVTControlCharacters(explanation), { cause: error }), {
      code,
    });
  } finally {
    clearAllPools();
  }
}
