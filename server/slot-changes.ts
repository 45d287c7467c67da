import { EventEmitter, on } from 'node:events';

/** What a subscriber hears: ids only. */
export type SlotChange = { doctorId: string; slotIds: string[]; isResync: boolean };

/** What the relay tells of one doctor, or of a whole hospital where `doctor_id` is null. */
export type ToldChange = { hospital_id: string; doctor_id: string | null; slot_ids: string[] };

/**
 * Hands what the relay tells of slots to those who subscribed. Topics are `hospital/doctor`, so that a
 * subscriber hears of their own hospital only.
 */
export class SlotChanges {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #ending = new AbortController();

  /** Changes of one topic, from now until the subscriber leaves or the server ends. */
  subscribe(topic: string | number): AsyncIterableIterator<SlotChange> {
    const events = on(this.#emitter, String(topic), { signal: this.#ending.signal });
    const end = { done: true as const, value: undefined };
    return {
      next: async () => {
        try {
          const { done, value } = await events.next();
          return done ? end : { done: false, value: value[0] as SlotChange };
        } catch (error) {
          if (this.#ending.signal.aborted) return end;
          throw error;
        }
      },
      return: async () => {
        await events.return?.();
        return end;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Passes on one message of the relay. */
  tell(changes: readonly ToldChange[]): void {
    for (const { hospital_id, doctor_id, slot_ids } of changes) {
      if (doctor_id === null) this.#resync((topic) => topic.startsWith(`${hospital_id}/`));
      else this.#emit(`${hospital_id}/${doctor_id}`, slot_ids, slot_ids.length === 0);
    }
  }

  /** Tells every subscriber to read again: messages may have been missed. */
  resync(): void {
    this.#resync(() => true);
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#ending.abort();
  }

  #resync(concerns: (topic: string) => boolean): void {
    for (const topic of this.#emitter.eventNames().map(String)) {
      if (concerns(topic)) this.#emit(topic, [], true);
    }
  }

  #emit(topic: string, slotIds: string[], isResync: boolean): void {
    const doctorId = topic.slice(topic.indexOf('/') + 1);
    this.#emitter.emit(topic, { doctorId, slotIds, isResync } satisfies SlotChange);
  }
}
