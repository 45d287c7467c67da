import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    // Processes, not threads: tests start and kill things.
    pool: 'forks',
    env: { NODE_ENV: 'test', GRAPHILE_ENV: 'test' },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
