import { availableParallelism } from 'node:os'

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/postgres.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Files wait for browsers and servers more than they compute, so also a machine of two cores can run two at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
})
