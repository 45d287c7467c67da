import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { dataKeysOf, loadSecrets, secretsFile } from '../../platform/secrets.ts';
import { ownFolder } from './folder.ts';

test('secrets are generated once, for the eyes of the owner alone', async () => {
  const folder = await ownFolder();
  const first = await loadSecrets(folder);
  expect(await loadSecrets(folder)).toEqual(first);
  expect((await stat(secretsFile(folder))).mode & 0o777).toBe(0o600);
});

test('wider rights are taken away', async () => {
  const folder = await ownFolder();
  await loadSecrets(folder);
  await chmod(secretsFile(folder), 0o644);
  await loadSecrets(folder);
  expect((await stat(secretsFile(folder))).mode & 0o777).toBe(0o600);
});

test('of many who generate at once, all get the same', async () => {
  const folder = await ownFolder();
  const all = await Promise.all(Array.from({ length: 20 }, () => loadSecrets(folder)));
  expect(new Set(all.map((secrets) => secrets.superuserPassword)).size).toBe(1);
});

test.each(['{"superuserPassword":"top-secret-value', '{"superuserPassword":"short"}'])(
  'a damaged file is refused, kept and not quoted: %s',
  async (text) => {
    const folder = await ownFolder();
    await writeFile(secretsFile(folder), text);
    const refusal = await loadSecrets(folder).catch((error: Error) => error.message);
    expect(refusal).toMatch(/backup/);
    expect(refusal).not.toMatch(/top-secret|short/);
    expect(await readFile(secretsFile(folder), 'utf8')).toBe(text);
    // So that the folder can be cleaned up.
    await writeFile(secretsFile(folder), JSON.stringify(await loadSecrets(await ownFolder())));
  },
);

test('a file from before there were data keys has one that never changes', async () => {
  const { dataKeys, ...old } = await loadSecrets(await ownFolder());
  expect(dataKeysOf({ ...old, dataKeys })).toBe(dataKeys);
  const [key] = dataKeysOf(old);
  expect(dataKeysOf(old)).toEqual([key]);
  expect(key?.secret.length).toBeGreaterThanOrEqual(32);
  expect(key?.secret).not.toContain(old.superuserPassword);
});
