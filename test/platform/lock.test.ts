import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { isLocked, takeLock, tryLock } from '../../platform/lock.ts';
import { ownFolder } from './folder.ts';

test('a lock has one holder, and is free after it', async () => {
  const file = join(await ownFolder(), 'a.lock');
  const lock = tryLock(file);
  expect(lock).toBeDefined();
  expect(tryLock(file)).toBeUndefined();
  lock?.release();
  lock?.release();
  expect(isLocked(file)).toBe(false);
});

test('waiting ends with the complaint', async () => {
  const file = join(await ownFolder(), 'a.lock');
  const lock = tryLock(file);
  await expect(takeLock(file, 60, 'still taken')).rejects.toThrow('still taken');
  lock?.release();
});

test('the lock of a killed process is free', async () => {
  const file = join(await ownFolder(), 'a.lock');
  const module = resolve(import.meta.dirname, '../../platform/lock.ts');
  const script = `const { tryLock } = await import(${JSON.stringify(module)});
    globalThis.lock = tryLock(${JSON.stringify(file)}); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script]);
  await once(holder.stdout, 'data');
  expect(isLocked(file)).toBe(true);
  const gone = once(holder, 'exit');
  holder.kill('SIGKILL');
  await gone;
  expect(isLocked(file)).toBe(false);
});
