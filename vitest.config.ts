import { defineConfig } from 'vitest/config';
import { catalogues } from './apps/web/scripts/catalogues.mjs';
import { emojiData } from './apps/web/scripts/emoji.mjs';

export default defineConfig({
  plugins: [catalogues(), emojiData()],
  test: {
    include: ['{apps,packages}/*/src/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs'],
    // Times that only a hang takes: a relay with its own Postgres takes seconds to start on a small machine, and what is
    // waited for within a test gives up before the test does.
    testTimeout: 90_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 90_000,
    teardownTimeout: 30_000,
    maxWorkers: 2,
  },
});
