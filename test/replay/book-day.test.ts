import { expect, test } from 'vitest';
import { bookDay } from '../../replay/book-day.ts';
import type { Wish } from '../../replay/plan.ts';
import type { Answer } from '../../replay/reception.ts';

function wish(line: number, patientNumber: string): Wish {
  const request = {
    line,
    appointmentNumber: String(line),
    patientNumber,
    age: 40,
    healthPost: 'CENTRO',
    requestedAt: new Date(0),
    showedUp: true,
  };
  return { request, slot: { id: `slot-${line}`, doctorId: 'a', startsAt: line, endsAt: line + 1 } };
}

/** Answers when the test says so, and remembers who is waiting. */
function slowReception() {
  const waiting = new Map<string, PromiseWithResolvers<Answer>>();
  const keys: string[] = [];
  return {
    waiting: () => [...waiting.keys()],
    keys,
    answer(slotId: string) {
      waiting.get(slotId)?.resolve({ kind: 'booked', appointmentId: slotId });
      waiting.delete(slotId);
    },
    fail(slotId: string) {
      waiting.get(slotId)?.reject(new Error('no answer'));
      waiting.delete(slotId);
    },
    freeSlots: async () => [],
    book({ slotId, idempotencyKey }: { slotId: string; idempotencyKey: string }) {
      const answer = Promise.withResolvers<Answer>();
      waiting.set(slotId, answer);
      keys.push(idempotencyKey);
      return answer.promise;
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const patientIds = new Map(['1', '2', '3'].map((number) => [number, `patient-${number}`]));

test('as many as allowed are under way, but of one patient one after the other', async () => {
  const reception = slowReception();
  const wishes = [wish(1, '1'), wish(2, '1'), wish(3, '2'), wish(4, '3')];
  const done = bookDay({ reception, wishes, patientIds, inFlight: 3 });
  await settle();
  expect(reception.waiting()).toEqual(['slot-1', 'slot-3']); // the second waits for the first
  reception.answer('slot-1');
  await settle();
  expect(reception.waiting().sort()).toEqual(['slot-2', 'slot-3', 'slot-4']);
  for (const slotId of reception.waiting()) reception.answer(slotId);
  const outcomes = await done;
  expect(outcomes).toHaveLength(4);
  expect(new Set(reception.keys).size).toBe(4);
});

test('when one stays without an answer, the others finish and nothing new begins', async () => {
  const reception = slowReception();
  const wishes = [wish(1, '1'), wish(2, '2'), wish(3, '3')];
  const done = bookDay({ reception, wishes, patientIds, inFlight: 2 });
  const failed = expect(done).rejects.toThrow('no answer');
  await settle();
  reception.fail('slot-1');
  await settle();
  reception.answer('slot-2');
  await failed;
  expect(reception.waiting()).toEqual([]);
});
