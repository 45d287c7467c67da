import { type ChildProcess, spawn } from 'node:child_process';
import type { DatabaseUrls } from './database-urls.ts';
import { withLogFile } from './log-file.ts';
import { type GoMessage, type ServiceMessage, unrecoverable } from './supervision-protocol.ts';

/** How to look after a process. */
export interface SuperviseOptions {
  /** Shown to people: server, worker. */
  name: string;
  /** The TypeScript file that it runs. */
  script: string;
  /** Its log goes into the folder `log` of this one. */
  dataDir: string;
  say: (message: string) => void;
  /** It runs, and where it listens; called again after every restart. */
  onReady: (url: string | undefined) => void;
  /** It cannot run and is not started again. */
  onHopeless: (reason: string) => void;
}

/** A process that is started again whenever it ends. */
export interface Supervised {
  /** Lets it use the database; a process that already runs with other URLs is started again. */
  go(urls: DatabaseUrls): void;
  /** Ends it for good, letting it finish what it does; resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it for good, at once. */
  kill(): void;
}

const shortestPauseMs = 250;
const longestPauseMs = 8_000;
const soundAfterMs = 30_000;
const stopWithinMs = 30_000;

/**
 * Starts `script` under this Node, so that it loads while the database is still starting, and
 * keeps it running: the pause before a restart doubles up to 8 s and is short again once the
 * process has held out for 30 s. It stands in a process group of its own, because Ctrl-C reaches a
 * whole group and the order of stopping is ours; when this process dies, it notices and ends.
 */
export function supervise(options: SuperviseOptions): Supervised {
  const state: State = { pauseMs: shortestPauseMs, isStopping: false, isWaiting: false };
  launch(state, options);
  return {
    go(urls) {
      const changed =
        state.urls !== undefined && JSON.stringify(state.urls) !== JSON.stringify(urls);
      state.urls = urls;
      if (state.isWaiting) answer(state);
      else if (changed) state.child?.kill('SIGTERM');
    },
    async stop() {
      state.isStopping = true;
      clearTimeout(state.restart);
      if (!state.child) return;
      const gone = new Promise<void>((resolve) => state.child?.once('exit', () => resolve()));
      state.child.kill('SIGTERM');
      const tooLong = setTimeout(() => state.child?.kill('SIGKILL'), stopWithinMs);
      await gone;
      clearTimeout(tooLong);
    },
    kill() {
      state.isStopping = true;
      clearTimeout(state.restart);
      state.child?.kill('SIGKILL');
    },
  };
}

interface State {
  child?: ChildProcess | undefined;
  urls?: DatabaseUrls;
  restart?: NodeJS.Timeout;
  pauseMs: number;
  isStopping: boolean;
  isWaiting: boolean;
}

function launch(state: State, options: SuperviseOptions): void {
  const startedAt = Date.now();
  const child = withLogFile(options.dataDir, options.name, (log) =>
    spawn(process.execPath, [options.script], {
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
      env: { GRAPHILE_ENV: 'production', ...process.env },
    }),
  );
  state.child = child;
  state.isWaiting = false;
  let reason: string | undefined;
  child.on('message', (message: ServiceMessage) => {
    if (message.kind === 'ready') options.onReady(message.url);
    if (message.kind === 'hopeless') reason = message.reason;
    if (message.kind === 'waiting') {
      state.isWaiting = true;
      if (state.urls) answer(state);
    }
  });
  child.on('error', (error) => options.say(`The ${options.name}: ${error.message}`));
  child.on('exit', (code, signal) => {
    state.child = undefined;
    state.isWaiting = false;
    if (state.isStopping) return;
    if (code === unrecoverable) {
      options.onHopeless(reason ?? `The ${options.name} cannot run with this configuration.`);
      return;
    }
    if (Date.now() - startedAt > soundAfterMs) state.pauseMs = shortestPauseMs;
    options.say(
      `The ${options.name} ended (${signal ?? `exit code ${code}`}); starting it again in ${state.pauseMs / 1000} s. Its log: ${options.name}.log`,
    );
    state.restart = setTimeout(() => launch(state, options), state.pauseMs);
    state.pauseMs = Math.min(state.pauseMs * 2, longestPauseMs);
  });
}

function answer(state: State): void {
  if (!state.urls || !state.child?.connected) return;
  state.isWaiting = false;
  state.child.send({ kind: 'go', urls: state.urls } satisfies GoMessage, () => {});
}
