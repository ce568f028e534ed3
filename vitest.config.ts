import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{apps,packages}/*/src/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs'],
    // A relay with its own Postgres takes seconds to start on a small machine.
    testTimeout: 20_000,
    hookTimeout: 90_000,
    teardownTimeout: 30_000,
    maxWorkers: 2,
  },
});
