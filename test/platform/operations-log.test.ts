// Entries of the log are collected, written in batches, and never in anybody's way.
import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { createLog } from '../../platform/log.ts';
import {
  type LogEntry,
  type OperationsLogOptions,
  openOperationsLog,
} from '../../platform/operations-log.ts';
import { until } from '../worker/workplace.ts';

type Row = { name: string; age_ms: number; details?: { count?: number } };

function entry(name: string): LogEntry {
  return { kind: 'operation', level: 'info', name, outcome: 'succeeded' };
}

/** A log over a database that does what `answer` says at each batch. */
function openLog(answer: () => Promise<void>, options: Partial<OperationsLogOptions> = {}) {
  const batches: Row[][] = [];
  const lines: Record<string, unknown>[] = [];
  const operations = openOperationsLog({
    log: createLog({
      name: 'test',
      level: 'info',
      destination: { write: (text) => void lines.push(JSON.parse(text)) },
    }),
    async send(batch) {
      await answer();
      batches.push(JSON.parse(batch));
    },
    flushMs: 5,
    ...options,
  });
  const written = () => batches.flat().map(({ name }) => name);
  return { operations, batches, lines, written };
}

const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

test('entries are written together, in their order, with their age', async () => {
  const { batches, operations, written } = openLog(async () => {});
  for (const name of ['one', 'two', 'three']) operations.write(entry(name));
  await until(() => batches.length > 0);
  expect(batches).toHaveLength(1);
  expect(written()).toEqual(['one', 'two', 'three']);
  expect(batches[0]?.every(({ age_ms }) => age_ms >= 0 && age_ms < 5_000)).toBe(true);
  await operations.close();
});

test('a full batch does not wait, and the next begins when it is written', async () => {
  const { batches, operations, written } = openLog(async () => {}, {
    batchSize: 2,
    flushMs: 60_000,
  });
  for (const name of ['one', 'two', 'three', 'four', 'five']) operations.write(entry(name));
  await until(() => written().length === 4);
  expect(batches.map(({ length }) => length)).toEqual([2, 2]);
  await operations.close();
  expect(written()).toEqual(['one', 'two', 'three', 'four', 'five']);
});

test('while the database is away entries wait, and none is written twice', async () => {
  let isAway = true;
  let tries = 0;
  const { lines, operations, written } = openLog(async () => {
    tries += 1;
    if (isAway) throw away;
  });
  operations.write(entry('one'));
  await until(() => tries >= 2);
  operations.write(entry('two'));
  isAway = false;
  await until(() => written().length === 2);
  expect(written()).toEqual(['one', 'two']);
  expect(lines.filter(({ msg }) => String(msg).includes('could not be written'))).toHaveLength(1);
  await operations.close();
});

test('what there is no room for is dropped, counted and told', async () => {
  const gate = Promise.withResolvers<void>();
  const { batches, operations, written } = openLog(() => gate.promise, {
    batchSize: 2,
    capacity: 3,
  });
  for (const name of ['one', 'two', 'three', 'four', 'five']) operations.write(entry(name));
  gate.resolve();
  await until(() => written().includes('log_dropped'));
  await operations.close();
  expect(written().filter((name) => name !== 'log_dropped')).toEqual(['one', 'two', 'three']);
  expect(batches.flat().find(({ name }) => name === 'log_dropped')).toMatchObject({
    details: { count: 2 },
  });
});

test('a batch that the database refuses for itself is given up, and those after it are written', async () => {
  const refusal = new DatabaseError('invalid input', 1, 'error');
  refusal.code = '22P02';
  let isBroken = true;
  const { operations, written, lines } = openLog(
    async () => {
      if (isBroken) throw refusal;
    },
    { batchSize: 2 },
  );
  operations.write(entry('poison'));
  await until(() => lines.some(({ msg }) => String(msg).includes('given up')));
  isBroken = false;
  operations.write(entry('sound'));
  await until(() => written().includes('sound'));
  await operations.close();
  expect(written()).not.toContain('poison');
  expect(written()).toContain('log_dropped');
});

test('closing writes what is left; what cannot be written any more is told and forgotten', async () => {
  const sound = openLog(async () => {}, { flushMs: 60_000 });
  sound.operations.write(entry('last'));
  await sound.operations.close();
  expect(sound.written()).toEqual(['last']);

  const broken = openLog(async () => Promise.reject(away), { flushMs: 60_000 });
  broken.operations.write(entry('lost'));
  await broken.operations.close();
  expect(broken.lines.at(-1)).toMatchObject({ entries: 1 });
});

test('a database that never answers keeps nobody from closing', async () => {
  const { lines, operations } = openLog(() => new Promise(() => {}), { patienceMs: 50 });
  operations.write(entry('lost'));
  await operations.close();
  expect(lines.at(-1)).toMatchObject({ entries: 1 });
});
