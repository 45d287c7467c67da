import { expect, test } from 'vitest';
import { VerificationPace } from '../../worker/verification-pace.ts';

const start = Date.parse('2026-11-21T12:00:00Z');
const after = (ms: number) => new Date(start + ms);

test('a change by itself is verified at once', () => {
  const pace = new VerificationPace();
  expect(pace.next('one', start)).toBeUndefined();
  expect(pace.next('one', start + 1_000)).toBeUndefined();
  expect(pace.next('one', start + 60_000)).toBeUndefined();
});

test('changes that follow each other are verified together, once a second', () => {
  const pace = new VerificationPace();
  expect(pace.next('one', start)).toBeUndefined();
  for (const ms of [200, 400, 600, 800]) expect(pace.next('one', start + ms)).toEqual(after(1_000));
  for (const ms of [1_001, 1_500]) expect(pace.next('one', start + ms)).toEqual(after(2_000));
  expect(pace.next('one', start + 3_000)).toBeUndefined();
});

test('what is about to start is not joined any more', () => {
  const pace = new VerificationPace();
  pace.next('one', start);
  expect(pace.next('one', start + 500)).toEqual(after(1_000));
  expect(pace.next('one', start + 950)).toEqual(after(2_000));
  expect(pace.next('one', start + 1_000)).toEqual(after(2_000));
});

test('hospitals do not wait for each other', () => {
  const pace = new VerificationPace();
  pace.next('one', start);
  expect(pace.next('one', start + 100)).toEqual(after(1_000));
  expect(pace.next('other', start + 100)).toBeUndefined();
});
