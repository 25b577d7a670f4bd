import { defineConfig } from 'vitest/config'

const isFull = process.env.PROMISES === 'full'
// Real processes that are killed, restarted and stopped: minutes a file, and more on a busy machine.
const crashTrials = ['R1-kill', 'R3-queue-lost', 'R5-start-order', 'R8-replays', 'R10-one-snapshot']
if (!isFull) console.warn(`Only "npm run promises" runs the crash trials: ${crashTrials.join(', ')}`)

export default defineConfig({
  test: {
    globalSetup: ['tests/support/global-setup.ts'],
    include: ['tests/**/*.test.ts'],
    exclude: isFull ? [] : crashTrials.map((name) => `tests/promises/${name}.test.ts`),
    testTimeout: 30_000,
    // Trials at full size kill, wait and count on both cores: one file after the other.
    fileParallelism: !isFull,
    hookTimeout: 60_000,
    // Two cores and a database server beside the tests.
    maxWorkers: 2,
    reporters: process.env.CI === undefined ? ['default'] : ['default', 'json'],
    outputFile: { json: 'data/test-report.json' },
  },
})
