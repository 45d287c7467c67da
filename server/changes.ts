import { EventEmitter, on } from 'node:events';

/**
 * Hands what the relay tells to those who subscribed. Topics are `hospital/what`, so that a subscriber
 * hears of their own hospital only. Events carry ids; one without ids means: read again.
 */
export class Changes<Event> {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #ending = new AbortController();
  readonly #eventOf: (topic: string, ids: string[]) => Event;

  /** `eventOf` makes what a subscriber of the topic hears; no ids where everything is to be read again. */
  constructor(eventOf: (topic: string, ids: string[]) => Event) {
    this.#eventOf = eventOf;
  }

  /** Changes of one topic, from now until the subscriber leaves or the server ends. */
  subscribe(topic: string | number): AsyncIterableIterator<Event> {
    const events = on(this.#emitter, String(topic), { signal: this.#ending.signal });
    const end = { done: true as const, value: undefined };
    return {
      next: async () => {
        try {
          const { done, value } = await events.next();
          return done ? end : { done: false, value: value[0] as Event };
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

  /** Tells every subscriber to read again: messages may have been missed. */
  resync(): void {
    this.#resync('');
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#ending.abort();
  }

  /** Passes on a change of `what`, or of everything in the hospital where it is null. */
  protected pass(hospitalId: string, what: string | null, ids: string[]): void {
    if (what === null) this.#resync(`${hospitalId}/`);
    else this.#emit(`${hospitalId}/${what}`, ids);
  }

  // Node listens for 'error' beside every topic, and that event would end the subscriptions.
  #resync(prefix: string): void {
    for (const topic of this.#emitter.eventNames().map(String)) {
      if (topic !== 'error' && topic.startsWith(prefix)) this.#emit(topic, []);
    }
  }

  #emit(topic: string, ids: string[]): void {
    this.#emitter.emit(topic, this.#eventOf(topic, ids));
  }
}
