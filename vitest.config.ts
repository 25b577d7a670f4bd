import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['tests/support/global-setup.ts'],
    include: ['tests/**/*.test.ts'],
    testTimeout: 30_000,
    // Trials at full size kill, wait and count on both cores: one file after the other.
    fileParallelism: process.env.PROMISES !== 'full',
    hookTimeout: 60_000,
    // Two cores and a database server beside the tests.
    maxWorkers: 2,
    reporters: process.env.CI === undefined ? ['default'] : ['default', 'json'],
    outputFile: { json: 'data/test-report.json' },
  },
})
