import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Damage } from '../damage.ts';

/** Every damage that there is a file for, by the name of its check. */
export async function allDamages(): Promise<readonly Damage[]> {
  const folder = import.meta.dirname;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.parentPath !== folder)
    .map((entry) => join(entry.parentPath, entry.name));
  const damages = await Promise.all(files.map(damagesIn));
  return damages.flat().toSorted((one, other) => (one.check < other.check ? -1 : 1));
}

async function damagesIn(file: string): Promise<Damage[]> {
  const module: Record<string, unknown> = await import(file);
  // By name: how a module lists what it exports depends on who loads it.
  return Object.keys(module)
    .toSorted()
    .map((name) => module[name])
    .filter(isDamage);
}

function isDamage(value: unknown): value is Damage {
  return typeof value === 'object' && value !== null && 'check' in value && 'inflict' in value;
}
