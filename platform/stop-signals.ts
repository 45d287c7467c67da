/** The words of people and systems to stop. */
export interface StopSignals {
  /** The first one. */
  first: Promise<void>;
  /** Another one, by somebody who does not want to wait. */
  second: Promise<void>;
  /** Stops listening. */
  end(): void;
}

// One Ctrl-C arrives several times: from the terminal, and from each process above that passes it on.
const sameWordMs = 1_000;

/** Listens for SIGINT, SIGTERM and SIGHUP from now on. */
export function listenForStop(): StopSignals {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  const listener = () => {
    firstAt ??= Date.now();
    first.resolve();
    if (Date.now() - firstAt > sameWordMs) second.resolve();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, listener);
  return {
    first: first.promise,
    second: second.promise,
    end() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
