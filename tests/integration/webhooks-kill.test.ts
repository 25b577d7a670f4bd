// A real process is killed while a receiver has events and has answered half of them: another process tells the rest again, by the same ids.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme } from '../support/fixtures.ts'
import { freePort } from '../support/redis.ts'
import { startTama, type Tama } from '../support/tama.ts'

let database: TestDatabase
let receiver: Server
let folder: string
let tama: Tama | undefined
const cases = 6
/** Ids in the order in which they came. */
const heard: string[] = []
const answered = new Set<string>()
let answersAll = false

beforeAll(async () => {
  database = await createTestDatabase()
  folder = mkdtempSync(join(tmpdir(), 'tama-hook-'))
  receiver = createServer((request, response) => {
    const id = String(request.headers['webhook-id'])
    heard.push(id)
    // Every second one is left without an answer.
    if (!answersAll && heard.length % 2 === 0) return
    answered.add(id)
    response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  tama?.child.kill('SIGKILL')
  await tama?.ended
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
  rmSync(folder, { recursive: true, force: true })
  await database.drop()
})

async function start(): Promise<Tama> {
  const secret = 'x'.repeat(32)
  const started = startTama(['serve', 'worker'], {
    DATABASE_URL: database.url,
    PORT: String(await freePort()),
    TAMA_DATA: folder,
    PIN_PEPPER: secret,
    ADMIN_KEY: secret,
    AT_USERNAME: 'sandbox',
    AT_API_KEY: 'none',
    AT_BASE_URL: 'http://127.0.0.1:9',
  })
  await started.printed(/at http/)
  return started
}

it('killed in the middle of its calls, every event is told at least once, by the id that it always had', async () => {
  const programme = await createProgramme(database.db)
  const members = await Promise.all(
    Array.from({ length: cases }, (_, at) =>
      createMember(database.db, programme, { msisdn: `+22177555000${at}` }),
    ),
  )
  const { port } = receiver.address() as AddressInfo
  await database.db.pool.query(
    'insert into webhooks (programme_id, url, events, created_at) values ($1, $2, $3, now())',
    [programme.id, `http://127.0.0.1:${port}/`, ['case.opened']],
  )
  await database.db.pool.query(
    `insert into cases (programme_id, member_id, kind, reference, dedupe_key, opened_at)
     select $1, m, 'call_back', 'KILLED' || n, 'KILLED' || n, now() from unnest($2::uuid[]) with ordinality t (m, n)`,
    [programme.id, members.map(({ id }) => id)],
  )
  const count = async (condition: string) =>
    Number(
      (await database.db.pool.query(`select count(*) from webhook_deliveries where ${condition}`)).rows[0]
        ?.count,
    )
  const written = await database.db.pool.query<{ id: string }>(
    'select id from webhook_deliveries order by id',
  )
  const ids = written.rows.map(({ id }) => id)
  expect(ids).toHaveLength(cases)

  tama = await start()
  await expect.poll(() => count('delivered_at is not null'), { timeout: 20_000 }).toBe(cases / 2)
  tama.child.kill('SIGKILL')
  await tama.ended
  expect(heard.toSorted()).toEqual(ids)
  expect(await count('delivered_at is null and attempts = 1 and next_at > now()')).toBe(cases / 2)
  const unanswered = ids.filter((id) => !answered.has(id))

  // The dead process's lease is over.
  await database.db.pool.query('update webhook_deliveries set next_at = now() where next_at is not null')
  answersAll = true
  tama = await start()
  await expect.poll(() => count('delivered_at is not null'), { timeout: 20_000 }).toBe(cases)
  expect(heard.slice(cases).toSorted()).toEqual(unanswered)
  expect([...answered].toSorted()).toEqual(ids)
}, 120_000)
