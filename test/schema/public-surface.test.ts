import { expect, test } from 'vitest';
import { createDatabase } from '../helpers/database.ts';
import { publicSurface } from './public-surface.ts';

const { ownerPool } = await createDatabase();

test('what the schema shows to clients is what the last review saw', async () => {
  await expect(await publicSurface(ownerPool)).toMatchFileSnapshot('../snapshots/database.txt');
});
