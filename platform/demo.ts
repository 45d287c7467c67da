import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from './log.ts';

interface DemoModule {
  loadDemo(databaseUrl: string, log: Log): Promise<unknown>;
}

interface GuideModule {
  demoGuide(baseUrl: string): string;
}

/** Loads the demo hospital; does nothing where it is loaded already. */
export async function loadDemo(
  projectFolder: string,
  databaseUrl: string,
  log: Log,
): Promise<void> {
  const file = join(projectFolder, 'demo', 'load.ts');
  if (!existsSync(file)) return;
  const module = (await import(file)) as DemoModule;
  await module.loadDemo(databaseUrl, log);
}

/** Logins of the demo and a first query to paste, for the terminal. */
export async function demoGuide(projectFolder: string, baseUrl: string): Promise<string> {
  const file = join(projectFolder, 'demo', 'guide.ts');
  if (!existsSync(file)) return '';
  return ((await import(file)) as GuideModule).demoGuide(baseUrl);
}
