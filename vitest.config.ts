import { defineConfig } from 'vitest/config'

const isFull = process.env.PROMISES === 'full'
const trial = (name: string) => `tests/promises/${name}.test.ts`
// Real processes that are killed, restarted and stopped, and simulated months: half a minute to many a file, and more on a busy machine.
const crashTrials = [
  'R1-kill',
  'R3-queue-lost',
  'R4-database-crash',
  'R5-start-order',
  'R8-replays',
  'R9-dialogues',
  'R10-one-snapshot',
  'R11-simulation',
  'R13-outage',
  'R14-bulk',
  'N1-notice',
  'R15-rolling',
  'R16-restore',
  'R17-silence',
  'S16-fail-closed',
]
if (!isFull) console.warn(`Only "npm run promises" runs the crash trials: ${crashTrials.join(', ')}`)
// They hold processes to seconds: after all others, one after the other.
const alone = ['tests/integration/redis-away.test.ts']
const all = 'tests/**/*.test.ts'
// Without servers or processes of their own: one process runs them one after the other, and imports once.
const pure = ['tests/unit/**/*.test.ts', 'tests/locales/**/*.test.ts', 'tests/tidy/**/*.test.ts']

// Every answer of the API that a test sees is held to its OpenAPI page.
const setupFiles = ['tests/support/watch-api.ts']
const patience = { testTimeout: 30_000, hookTimeout: 60_000, setupFiles }
const quick = [
  { name: 'pure', include: pure, isolate: false, maxWorkers: 2 },
  {
    name: 'together',
    include: [all],
    exclude: [...pure, ...alone, ...crashTrials.map(trial)],
    maxWorkers: 2,
  },
  { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } },
].map((test) => ({ test: { ...patience, ...test } }))

export default defineConfig({
  test: {
    // One server for all: that of the root, which its projects share.
    globalSetup: ['tests/support/global-setup.ts'],
    ...patience,
    // Trials at full size kill, wait and count on both cores: one file after the other.
    ...(isFull ? { include: [all], fileParallelism: false } : { projects: quick }),
    reporters: process.env.CI === undefined ? ['default'] : ['default', 'json'],
    outputFile: { json: 'data/test-report.json' },
  },
})
