// Roles whose Redis has gone, or hangs, when the supervisor tells them to stop.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { createProgramme } from '../support/fixtures.ts'
import { freePort, hasRedis, startRedis } from '../support/redis.ts'
import { startTama } from '../support/tama.ts'

const drainMaxMs = 8_000

describe.skipIf(!hasRedis)('a role whose Redis is away', () => {
  it.each([
    ['was stopped', 'SIGKILL'],
    ['hangs', 'SIGSTOP'],
  ] as const)(
    'drains to exit 0 within seconds and leaves no connection behind when Redis %s',
    async (_, signal) => {
      const folder = mkdtempSync(join(tmpdir(), 'tama-serve-'))
      const database = await createTestDatabase()
      await createProgramme(database.db)
      const redis = await startRedis()
      const roles = await Promise.all(
        ['web', 'worker', 'planner'].map(async (role) => ({
          role,
          tama: startTama(['serve', role], {
            DATABASE_URL: database.url,
            REDIS_URL: redis.url,
            TAMA_DATA: join(folder, role),
            PORT: String(await freePort()),
            AT_USERNAME: 'sandbox',
            AT_API_KEY: 'k'.repeat(32),
            AT_BASE_URL: 'http://127.0.0.1:9',
          }),
        })),
      )
      try {
        await Promise.all(roles.map(({ tama, role }) => tama.printed(new RegExp(`Tama ${role} at`), 90_000)))
        process.kill(redis.pid, signal)
        // The worker is in the middle of asking: its relay looks at the queue every second.
        if (signal === 'SIGKILL')
          await Promise.all(
            roles.map(({ tama }) => tama.printed(/ECONNREFUSED|connection_lost|queue\.error/)),
          )
        const startedMs = performance.now()
        const ends = roles.map(async ({ role, tama }) => {
          tama.child.kill('SIGTERM')
          const code = await tama.ended
          return { role, code, inTime: performance.now() - startedMs < drainMaxMs }
        })
        expect(await Promise.all(ends)).toEqual(roles.map(({ role }) => ({ role, code: 0, inTime: true })))
        for (const { tama } of roles) expect(tama.output()).not.toContain('serve.stop_failed')
        const { rows } = await database.db.pool.query(
          `select application_name from pg_stat_activity where datname = current_database() and application_name like 'tama-%'`,
        )
        expect(rows).toEqual([])
      } finally {
        for (const { tama } of roles) tama.child.kill('SIGKILL')
        await Promise.all(roles.map(({ tama }) => tama.ended))
        await redis.stop()
        await database.drop()
        rmSync(folder, { recursive: true, force: true })
      }
    },
    180_000,
  )
})
