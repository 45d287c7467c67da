import { existsSync } from 'node:fs';
import { join } from 'node:path';

interface DemoModule {
  loadDemo(databaseUrl: string): Promise<string[]>;
}

interface GuideModule {
  demoGuide(baseUrl: string): string;
}

/** Loads the demo hospital; does nothing where it is loaded already. */
export async function loadDemo(
  projectFolder: string,
  databaseUrl: string,
  say: (message: string) => void,
): Promise<void> {
  const file = join(projectFolder, 'demo', 'load.ts');
  if (!existsSync(file)) return;
  const module = (await import(file)) as DemoModule;
  const loaded = await module.loadDemo(databaseUrl);
  if (loaded.length > 0) say(`Loaded the demo hospitals: ${loaded.join(', ')}.`);
}

/** Logins of the demo and a first query to paste, for the terminal. */
export async function demoGuide(projectFolder: string, baseUrl: string): Promise<string> {
  const file = join(projectFolder, 'demo', 'guide.ts');
  if (!existsSync(file)) return '';
  return ((await import(file)) as GuideModule).demoGuide(baseUrl);
}
