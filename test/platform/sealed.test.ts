import { expect, test } from 'vitest';
import { isSealedWithOldKey, open, seal } from '../../platform/sealed.ts';

const [one, two] = [
  { kid: 'one.1', secret: 'a key that is long enough for this 1' },
  { kid: 'two', secret: 'a key that is long enough for this 2' },
];

test('what is sealed opens for its context, and never looks the same twice', () => {
  const sealed = seal([one], 'a secret ü', 'mine');
  expect(sealed).toMatch(/^v1\.one\.1\.[\w-]+$/);
  expect(sealed).not.toContain('secret');
  expect(seal([one], 'a secret ü', 'mine')).not.toBe(sealed);
  expect(open([one], sealed, 'mine')).toBe('a secret ü');
});

test('keys rotate: the first seals, all open', () => {
  const sealed = seal([one], 'x', 'mine');
  expect(open([two, one], sealed, 'mine')).toBe('x');
  expect(isSealedWithOldKey([two, one], sealed)).toBe(true);
  expect(isSealedWithOldKey([two, one], seal([two, one], 'x', 'mine'))).toBe(false);
  expect(() => open([two], sealed, 'mine')).toThrow('not configured');
  expect(() => seal([], 'x', 'mine')).toThrow('no key');
});

test('elsewhere, changed, cut or under another key it does not open, and says nothing', () => {
  const sealed = seal([one], 'top secret', 'mine');
  const changed = `${sealed.slice(0, -1)}${sealed.endsWith('A') ? 'B' : 'A'}`;
  const flipped = Buffer.from(sealed.split('.').at(-1) ?? '', 'base64url');
  flipped[14] = (flipped[14] ?? 0) ^ 1;
  for (const [text, keys, context] of [
    [sealed, [one], 'yours'],
    [`v1.one.1.${flipped.toString('base64url')}`, [one], 'mine'],
    [`${changed.slice(0, 30)}`, [one], 'mine'],
    [sealed, [{ ...two, kid: one?.kid ?? '' }], 'mine'],
    ['nonsense', [one], 'mine'],
  ] as const) {
    expect(() => open([...keys], text, context)).toThrow(/secret/);
  }
});
