import { expect, test } from 'vitest';
import { Passwords } from '../../server/auth/passwords.ts';
import { KeyedTurnstiles, LineTooLong, Turnstile } from '../../server/auth/turnstile.ts';

/** Work that says when it began and ends when it is told to. */
function work() {
  const begun = Promise.withResolvers<void>();
  const ending = Promise.withResolvers<void>();
  return {
    begun: begun.promise,
    end: ending.resolve,
    fail: ending.reject,
    run: () => {
      begun.resolve();
      return ending.promise;
    },
  };
}

test('so many pass, so many wait in order, the rest is turned away', async () => {
  const turnstile = new Turnstile({ places: 2, longestLine: 1 });
  const [one, two, three] = [work(), work(), work()];
  const passing = [one, two, three].map(({ run }) => turnstile.pass(run));
  await Promise.all([one.begun, two.begun]);
  await expect(turnstile.pass(async () => {})).rejects.toThrow(LineTooLong);
  one.end();
  await three.begun;
  two.end();
  three.end();
  await Promise.all(passing);
  expect(turnstile.isIdle).toBe(true);
});

test('work that fails makes room', async () => {
  const turnstile = new Turnstile({ places: 1, longestLine: 1 });
  const [one, two] = [work(), work()];
  const failing = expect(turnstile.pass(one.run)).rejects.toThrow('no');
  const waiting = turnstile.pass(two.run);
  one.fail(new Error('no'));
  await two.begun;
  two.end();
  await Promise.all([failing, waiting]);
});

test('those at different keys do not wait for each other', async () => {
  const turnstiles = new KeyedTurnstiles(1);
  const [one, other, next] = [work(), work(), work()];
  const passing = [turnstiles.pass('a', one.run), turnstiles.pass('b', other.run)];
  await Promise.all([one.begun, other.begun]);
  passing.push(turnstiles.pass('a', next.run));
  await expect(turnstiles.pass('a', async () => {})).rejects.toThrow(LineTooLong);
  one.end();
  await next.begun;
  other.end();
  next.end();
  await Promise.all(passing);
});

test('a password fits its hash, in whichever way its letters are written', async () => {
  const passwords = await Passwords.open(new Turnstile({ places: 1, longestLine: 9 }));
  const hash = await passwords.hash('caf\u00e9 in the morning');
  expect(await passwords.matches(hash, 'cafe\u0301 in the morning')).toBe(true);
  expect(await passwords.matches(hash, 'cafe in the morning')).toBe(false);
  expect(await passwords.matches(null, 'cafe in the morning')).toBe(false);
});
