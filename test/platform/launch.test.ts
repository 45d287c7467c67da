import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const project = resolve(import.meta.dirname, '../..');

async function launch(
  script: string,
): Promise<{ child: ReturnType<typeof spawn>; code: Promise<number> }> {
  const folder = await mkdtemp(join(tmpdir(), 'slotkeeper-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(join(project, 'launch.mjs'), join(folder, 'launch.mjs'));
  // An installation that has by its own note what its lock file names, so that nothing is installed.
  const modules = join(folder, 'node_modules');
  const note = join(project, 'node_modules', '.package-lock.json');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await cp(note, join(folder, 'package-lock.json'));
  await cp(note, join(modules, '.package-lock.json'));
  await symlink(process.execPath, join(modules, '.bin', 'node'));
  await writeFile(join(folder, 'script.ts'), script);
  const child = spawn(process.execPath, ['launch.mjs', 'script.ts', 'an argument'], {
    cwd: folder,
  });
  return { child, code: once(child, 'exit').then(([code]) => code as number) };
}

test('runs the script with its arguments and gives its exit code back', async () => {
  const { child, code } = await launch(
    `const all: string[] = process.argv; console.log(all[2], process.env.NODE_COMPILE_CACHE); process.exitCode = 7;`,
  );
  const [text] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  expect(String(text)).toMatch(/^an argument .*node_modules/);
  expect(await code).toBe(7);
});

test('passes signals on and waits for what they cause', async () => {
  const { child, code } = await launch(
    `process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('up');`,
  );
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.kill('SIGTERM');
  expect(await code).toBe(9);
});
