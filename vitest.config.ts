import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    // Processes, not threads: tests start and kill things.
    pool: 'forks',
    env: { NODE_ENV: 'test', GRAPHILE_ENV: 'test' },
    // What a busy machine needs; tests wait for events, so only one that hangs takes that long.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
