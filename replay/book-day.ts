import { randomUUID } from 'node:crypto';
import type { Wish } from './plan.ts';
import type { Answer, Reception } from './reception.ts';

/** What became of a wish. */
export interface Outcome {
  wish: Wish;
  answer: Answer;
  /** From sending the request to its answer, in ms. */
  tookMs: number;
}

export interface BookDayOptions {
  reception: Reception;
  wishes: readonly Wish[];
  /** Id of each patient, by number. */
  patientIds: ReadonlyMap<string, string>;
  inFlight: number;
  /** Told after every answer. */
  onAnswer?: () => void;
}

/**
 * Books all wishes in their order, `inFlight` at a time. Requests under one patient number are made
 * one after the other, as at one desk, so that the earlier one wins; all others race. Stops at the
 * first request that stays without an answer, and throws its error when the others are done.
 */
export async function bookDay(options: BookDayOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const turns = new Map<string, Promise<void>>();
  const waiting = options.wishes.values();
  const failures: unknown[] = [];

  async function work(): Promise<void> {
    for (const wish of waiting) {
      const { patientNumber } = wish.request;
      const earlier = turns.get(patientNumber) ?? Promise.resolve();
      const turn = earlier.then(async () => {
        outcomes.push(await bookOne(options, wish));
        options.onAnswer?.();
      });
      turns.set(patientNumber, turn);
      await turn.catch((error) => failures.push(error));
      if (failures.length > 0) return;
    }
  }

  await Promise.all(Array.from({ length: options.inFlight }, work));
  if (failures.length > 0) throw failures[0];
  return outcomes;
}

async function bookOne(options: BookDayOptions, wish: Wish): Promise<Outcome> {
  const patientId = options.patientIds.get(wish.request.patientNumber);
  if (patientId === undefined) throw new Error(`line ${wish.request.line}: unknown patient`);
  const startedAt = performance.now();
  const answer = await options.reception.book({
    slotId: wish.slot.id,
    patientId,
    idempotencyKey: randomUUID(),
  });
  return { wish, answer, tookMs: performance.now() - startedAt };
}
