// Servers and workers say that they live, and by how much their clock is wrong.
import { expect, test } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { type ProcessBeat, startProcessHeartbeat } from '../../platform/process-heartbeat.ts';
import { until } from '../worker/workplace.ts';

const log = createLog({ name: 'test', level: 'silent' });

test('the first beat knows nothing of the clock, the next ones do', async () => {
  const beats: ProcessBeat[] = [];
  const truth = Date.UTC(2026, 0, 1);
  // Five seconds ahead; the answer takes 200 ms.
  let time = truth + 5_000;
  const heart = startProcessHeartbeat({
    kind: 'server',
    environment: 'test',
    log,
    everyMs: 1,
    now: () => time,
    async tell(beat) {
      beats.push(beat);
      const answer = new Date(time - 5_000 + 100);
      time += 200;
      return answer;
    },
  });
  await until(() => beats.length >= 3);
  await heart.stop();
  expect(beats[0]).toMatchObject({ kind: 'server', driftMs: null, uncertaintyMs: null });
  expect(beats[2]).toMatchObject({ driftMs: 5_000, uncertaintyMs: 100 });
  expect(new Set(beats.map(({ processId }) => processId)).size).toBe(1);
});

test('a beat that fails is followed by the next, and a clock that is wrong by a century is told', async () => {
  const beats: ProcessBeat[] = [];
  let tries = 0;
  const heart = startProcessHeartbeat({
    kind: 'worker',
    environment: 'test',
    log,
    everyMs: 1,
    async tell(beat) {
      tries += 1;
      if (tries === 2) throw new Error('away');
      beats.push(beat);
      return new Date(0);
    },
  });
  await until(() => beats.length >= 2);
  await heart.stop();
  expect(beats[1]).toMatchObject({ driftMs: 2_000_000_000 });
});
