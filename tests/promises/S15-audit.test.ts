// S15: security events are complete and tamper-evident. Here the chain: many writers, every kind of tampering, and the command that tells.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AuditAnchor, houseChain, recordAudit, verifyAudit } from '../../src/audit.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testNow } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { runTama } from '../support/tama.ts'

const programmeId = '019aaaaa-0000-7000-8000-000000000001'
const other = '019aaaaa-0000-7000-8000-000000000002'
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** As a superuser of the database can: no trigger runs. */
async function tamper(...statements: string[]): Promise<void> {
  await database.db.transaction(async (tx) => {
    await tx.query('set local session_replication_role = replica')
    for (const statement of statements) await tx.query(statement)
  })
}

const fact = (number: number, chain = programmeId) => ({
  at: testNow,
  ...(chain === houseChain ? {} : { programmeId: chain }),
  actor: 'operator',
  action: 'test.done',
  subject: `member:${number}`,
  before: { state: 'a', number },
  after: { number, state: 'b' },
})

const verify = (known: AuditAnchor[] = []) => verifyAudit(database.db.pool, known)

describe('many writers', () => {
  const writers = 16
  const rowsEach = atScale(25, 100)

  test('16 writers at once leave one unforked chain a programme, without waiting for open transactions', async () => {
    const { db } = database
    // Holds an audited transaction open all the while: nobody may wait for it.
    const slow = await db.pool.connect()
    await slow.query('begin')
    await recordAudit(slow, fact(-1))
    const startedMs = performance.now()
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let row = 0; row < rowsEach; row += 1) {
          const chain = [programmeId, other, houseChain][(writer + row) % 3]
          if (row % 3 === 0) await recordAudit(db.pool, fact(row, chain))
          else
            await db
              .transaction(async (tx) => {
                await recordAudit(tx, fact(row, chain))
                if (row % 5 === 0) throw new Error('taken back')
              })
              .catch(() => undefined)
        }
      }),
    )
    const ms = performance.now() - startedMs
    expect((await verify()).faults).toEqual([])
    await slow.query('commit')
    slow.release()
    const kept = Array.from({ length: rowsEach }, (_, row) => row).filter(
      (row) => row % 3 === 0 || row % 5 !== 0,
    )
    const report = await verify()
    expect(report.rows).toBe(writers * kept.length + 1)
    expect(report.faults).toEqual([])
    expect(report.anchors.reduce((sum, { position }) => sum + position, 0)).toBe(report.rows)
    showFigure(
      'S15',
      `${writers} writers wrote ${report.rows} rows in three chains, ${Math.round((report.rows / ms) * 1_000)} a second; no fork, no gap`,
    )
  })
})

describe('a row that is not as written is found', () => {
  beforeEach(async () => {
    await tamper('delete from audit_log', 'delete from audit_heads')
    for (let number = 1; number <= 9; number += 1) await recordAudit(database.db.pool, fact(number))
    await recordAudit(database.db.pool, fact(1, other))
    expect((await verify()).faults).toEqual([])
  })

  const at = `programme_id = '${programmeId}' and position`
  /** The hash that a forger would compute for a row. */
  const resealed = `sha256(coalesce((select hash from audit_log b where b.programme_id = a.programme_id and b.position = a.position - 1), '')
    || convert_to(jsonb_build_array(programme_id, position, (extract(epoch from at) * 1000)::bigint, actor, action, subject, before, after)::text, 'UTF8'))`

  test.each([
    ['changed', 4, [`update audit_log set actor = 'staff:other' where ${at} = 4`]],
    ['changed', 4, [`update audit_log set after = '{}' where ${at} = 4`]],
    ['changed', 4, [`update audit_log set at = at + interval '1 minute' where ${at} = 4`]],
    // Changed and sealed again: the next row gives it away.
    [
      'changed',
      5,
      [
        `update audit_log a set actor = 'nobody' where ${at} = 4`,
        `update audit_log a set hash = ${resealed} where ${at} = 4`,
      ],
    ],
    ['missing', 4, [`delete from audit_log where ${at} = 4`]],
    [
      'changed',
      4,
      [
        `delete from audit_log where ${at} = 4`,
        `update audit_log set position = position - 1 where ${at} > 4`,
      ],
    ],
    ['missing', 1, [`delete from audit_log where ${at} <= 3`]],
    [
      'changed',
      5,
      [
        `update audit_log set position = -position where ${at} > 4`,
        `update audit_log set position = 1 - position where ${at} < 0`,
        `insert into audit_log (programme_id, position, at, actor, action, subject, hash) values ('${programmeId}', 5, now(), 'x', 'y', 'z', 'forged')`,
      ],
    ],
    [
      'changed',
      4,
      [
        `update audit_log set position = -4 where ${at} = 4`,
        `update audit_log set position = 4 where ${at} = 5`,
        `update audit_log set position = 5 where ${at} = -4`,
      ],
    ],
    [
      'unlinked',
      10,
      [
        `insert into audit_log (programme_id, at, actor, action, subject) values ('${programmeId}', now(), 'x', 'y', 'z')`,
      ],
    ],
    ['tail_cut', 8, [`delete from audit_log where ${at} > 7`]],
    ['tail_cut', 1, [`delete from audit_log where ${at} > 0`]],
    ['tail_cut', 10, ['delete from audit_heads']],
  ] as const)('%s at row %i', async (what, position, statements) => {
    await tamper(...statements)
    expect((await verify()).faults[0]).toEqual({ programmeId, position, what })
  })

  test('a whole chain that was written anew is found by an anchor that was kept elsewhere', async () => {
    const { anchors } = await verify()
    await recordAudit(database.db.pool, fact(10))
    expect((await verify(anchors)).faults).toEqual([])
    await tamper('delete from audit_log', 'delete from audit_heads')
    expect((await verify(anchors)).faults.map(({ what }) => what)).toEqual(['tail_cut', 'tail_cut'])
    for (let number = 1; number <= 10; number += 1) await recordAudit(database.db.pool, fact(number + 1))
    expect((await verify()).faults).toEqual([])
    expect((await verify(anchors)).faults).toContainEqual({
      programmeId,
      position: 9,
      what: 'not_the_anchor',
    })
  })

  test('the database refuses to change, delete or empty it, and to seal a row by hand', async () => {
    for (const statement of [
      `update audit_log set actor = 'nobody'`,
      `update audit_log set hash = 'x'`,
      'delete from audit_log',
      'truncate audit_log',
      `update audit_heads set hash = 'x'`,
      'update audit_heads set position = position - 1',
      'delete from audit_heads',
      'truncate audit_heads',
    ])
      await expect(database.db.pool.query(statement), statement).rejects.toMatchObject({ code: 'TA001' })
    await database.db.pool.query(
      `insert into audit_log (programme_id, position, at, actor, action, subject, hash) values ($1, 3, $2, 'x', 'y', 'z', 'forged')`,
      [programmeId, testNow],
    )
    expect((await verify()).faults).toEqual([])
  })

  test('"tama verify audit" ends with 0 and prints anchors, or with 1 and names the first bad row', async () => {
    const environment = { DATABASE_URL: database.url }
    const sound = await runTama(['verify', 'audit'], environment)
    expect(sound).toMatchObject({ code: 0 })
    const anchor = /^019aaaaa\S+0001:9:[0-9a-f]{64}$/m.exec(sound.output)?.[0] ?? ''
    expect(await runTama(['verify', 'audit', '--anchor', anchor], environment)).toMatchObject({ code: 0 })
    const forged = anchor.replace(/[0-9a-f]{64}/, createHash('sha256').update('x').digest('hex'))
    expect(await runTama(['verify', 'audit', '--anchor', forged], environment)).toMatchObject({ code: 1 })
    await tamper(`update audit_log set actor = 'nobody' where ${at} = 4`)
    const { code, output } = await runTama(['verify', 'audit'], environment)
    expect(code).toBe(1)
    expect(output).toContain(`Chain ${programmeId}: row 4 was changed`)
    expect(await runTama(['verify', 'nothing'], environment)).toMatchObject({ code: 2 })
  }, 120_000)
})
