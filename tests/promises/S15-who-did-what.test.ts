// S15: every act of the back office and of an operator leaves exactly one row that says who did what to what; what was refused, only
// tried or repeated leaves none. Routes come from the router and commands from the command line, so that none can be forgotten.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cac } from 'cac'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { verifyAudit } from '../../src/audit.ts'
import { commands } from '../../src/commands/index.ts'
import { createApiKey } from '../../src/http/keys.ts'
import {
  type ApiUnderTest,
  createGround,
  type Ground,
  isWrite,
  routesIn,
  sampleOf,
  serveApi,
} from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme, type TestProgramme } from '../support/fixtures.ts'
import { showFigure } from '../support/promises.ts'

let database: TestDatabase
let programme: TestProgramme
let folder: string

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  folder = mkdtempSync(join(tmpdir(), 'tama-audit-'))
})
afterAll(async () => {
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

interface AuditRow {
  actor: string
  action: string
  subject: string
  text: string
}

/** The rows that `work` left. */
async function rowsOf(work: () => Promise<unknown>, { db } = database): Promise<AuditRow[]> {
  const { rows: before } = await db.pool.query<{ last: string }>(
    'select coalesce(max(id), 0)::text as last from audit_log',
  )
  await work()
  const { rows } = await db.pool.query<AuditRow>(
    'select actor, action, subject, a::text as text from audit_log a where id > $1 order by id',
    [before[0]?.last],
  )
  return rows
}

describe('the HTTP API', () => {
  /** What each writing route leaves. `again`: rows of the same request without an Idempotency-Key, once it was done. */
  const acts: Readonly<Record<string, { action: string; subject: RegExp; again: number }>> = {
    'post /entries': { action: 'entry.posted', subject: /^entry:/, again: 0 },
    'post /entries/:reference/reversal': { action: 'reversal.posted', subject: /^entry:/, again: 0 },
    'post /loans': { action: 'loan.opened', subject: /^loan:/, again: 0 },
    'put /loans/:number/schedule': { action: 'loan.rescheduled', subject: /^loan:/, again: 0 },
    'post /members': { action: 'member.enrolled', subject: /^member:/, again: 0 },
    'patch /members/:number': { action: 'member.changed', subject: /^member:/, again: 0 },
    'put /members/:number/consents': { action: 'consents.set', subject: /^member:/, again: 0 },
    'post /members/:number/reverify': { action: 'phone.reverify', subject: /^member:/, again: 0 },
    'post /members/:number/confirmations': { action: 'phone.confirmed', subject: /^member:/, again: 0 },
    'post /members/:number/pin-reset': { action: 'pin.reset', subject: /^member:/, again: 1 },
    'post /notices': { action: 'notice.drafted', subject: /^notice:/, again: 0 },
    'post /notices/:id/send': { action: 'notice.sent', subject: /^notice:/, again: 0 },
    'post /notices/:id/undo': { action: 'notice.undone', subject: /^notice:/, again: 0 },
    'post /notices/:id/stop': { action: 'notice.stopped', subject: /^notice:/, again: 0 },
    'post /notices/:id/told': { action: 'notice.told', subject: /^notice:/, again: 0 },
    'post /members/:number/cases': { action: 'case.opened', subject: /^case:/, again: 0 },
    'post /cases/:reference/take': { action: 'case.taken', subject: /^case:/, again: 0 },
    'post /cases/:reference/appointment': { action: 'case.appointed', subject: /^case:/, again: 0 },
    'post /webhooks': { action: 'webhook.added', subject: /^webhook:/, again: 1 },
    'post /webhooks/:id/rotate': { action: 'webhook.rotated', subject: /^webhook:/, again: 1 },
    'post /webhooks/:id/enable': { action: 'webhook.enabled', subject: /^webhook:/, again: 0 },
    'post /webhooks/:id/replay': { action: 'webhook.replayed', subject: /^webhook:/, again: 0 },
    'delete /webhooks/:id': { action: 'webhook.removed', subject: /^webhook:/, again: 0 },
    'post /cases/:reference/close': { action: 'case.closed', subject: /^case:/, again: 0 },
    'post /members/:number/erasure': { action: 'member.erased', subject: /^member:/, again: 0 },
    'post /groups': { action: 'group.opened', subject: /^group:/, again: 0 },
    'patch /groups/:code': { action: 'group.changed', subject: /^group:/, again: 0 },
    'put /groups/:code/calendar': { action: 'calendar.set', subject: /^group:/, again: 0 },
    'post /groups/:code/meetings': { action: 'meeting.added', subject: /^meeting:/, again: 0 },
    'patch /meetings/:id': { action: 'meeting.moved', subject: /^meeting:/, again: 0 },
    'put /meetings/:id/attendance': { action: 'attendance.taken', subject: /^meeting:/, again: 0 },
    'post /groups/:code/trainings': { action: 'training.added', subject: /^training:/, again: 0 },
    'patch /trainings/:id': { action: 'training.cancelled', subject: /^training:/, again: 0 },
    'put /trainings/:id/attendance': { action: 'attendance.taken', subject: /^training:/, again: 0 },
  }
  let api: ApiUnderTest
  let key: string
  let readOnly: string
  let ground: Ground

  beforeAll(async () => {
    api = await serveApi(database.db)
    key = await createApiKey(database.db, programme.id, 'office')
    readOnly = await createApiKey(database.db, programme.id, 'reader', ['read'])
  })
  afterAll(() => api.close())

  const send = (route: string, as: string, headers: object = {}, change: object = {}) => {
    const { path, body } = sampleOf(route, ground)
    return api.call(as, route.split(' ')[0] ?? '', path, { ...body, ...change }, headers)
  }

  test('every writing route is in the table', () => {
    expect(routesIn(api.router).filter(isWrite).sort()).toEqual(Object.keys(acts).sort())
    showFigure(
      'S15',
      `${Object.keys(acts).length} writing routes: one row each, none when refused or repeated`,
    )
  })

  test.each(Object.entries(acts))('%s', async (route, { action, subject, again }) => {
    ground = await createGround(database.db, programme)
    const once = { 'idempotency-key': `once ${route}` }
    const none = await rowsOf(async () => {
      expect((await send(route, readOnly, once)).status).toBe(403)
      expect((await send(route, 'x'.repeat(43), once)).status).toBe(401)
      expect((await send(route, key, once, { nonsense: 1 })).status).toBe(400)
    })
    expect(none).toEqual([])
    const rows = await rowsOf(async () => {
      expect((await send(route, key, once)).status).toBeLessThan(300)
    })
    expect(rows).toMatchObject([{ actor: 'api:office', action }])
    expect(rows[0]?.subject).toMatch(subject)
    // Ids and stable words: an erasure does not reach the log.
    for (const word of ['Awa', 'Diatta', ground.member, ground.newPhone, ground.facilitator, ground.loan])
      expect(rows[0]?.text).not.toContain(word)
    expect(await rowsOf(() => send(route, key, once))).toEqual([])
    expect(await rowsOf(() => send(route, key))).toHaveLength(again)
  })

  test('what is read leaves no row, but for a member who is handed out as a whole', async () => {
    ground = await createGround(database.db, programme)
    for (const route of routesIn(api.router).filter((one) => !isWrite(one))) {
      const { path, body } = sampleOf(route, ground)
      const rows = await rowsOf(() => api.call(key, route.split(' ')[0] ?? '', path, body))
      expect(
        rows.map(({ action }) => action),
        route,
      ).toEqual(route.endsWith('/export') ? ['member.exported'] : [])
    }
  })

  test('a word that staff took down names the key, who asked her, and what was so before', async () => {
    ground = await createGround(database.db, programme)
    await rowsOf(() =>
      send('put /members/:number/consents', key, {}, { collector: ground.facilitator, stopped: true }),
    )
    const { rows } = await database.db.pool.query(
      `select actor, before, after - 'collector' as after, after->>'collector' ~ '^staff:[0-9a-f-]{36}$' as named
         from audit_log order by id desc limit 1`,
    )
    expect(rows).toEqual([
      {
        actor: 'api:office',
        before: { consents: { survey: true }, stopped: false },
        after: { consents: { survey: false }, stopped: true },
        named: true,
      },
    ])
  })
})

describe('the command line', () => {
  /** Read, run, move the schema, which keeps its own record, or change texts, whose file names who reviewed them. */
  const unaudited = ['serve', 'migrate', 'menus', 'holidays', 'verify', 'cost']
  let ground: Ground

  beforeAll(async () => {
    ground = await createGround(database.db, programme)
    process.setMaxListeners(100)
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    vi.stubEnv('DATABASE_URL', database.url)
    vi.stubEnv('TAMA_DATA', folder)
    vi.stubEnv('LOG_LEVEL', 'silent')
  })
  afterAll(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  const cli = () => {
    const line = cac('tama')
    for (const register of commands) register(line)
    return line
  }

  /** True when the command did what it was told. */
  async function tama(...words: string[]): Promise<boolean> {
    const line = cli()
    line.parse(['node', 'tama', ...words], { run: false })
    try {
      await line.runMatchedCommand()
      return process.exitCode === undefined
    } catch {
      return false
    } finally {
      process.exitCode = undefined
    }
  }

  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const description = `
code: palmis
name: Palmis
serviceCode: "*385*1#"
senderId: PALMIS
currency: HTG
country: HT
timeZone: America/Port-au-Prince
languages: [fr]
officePhone: "+50937000000"
staff:
  - { firstName: Marie, lastName: Jean, phone: "+50937000001", role: facilitator, language: fr }
`
  const newest = async (table: 'api_keys' | 'callback_secrets') => {
    const { rows } = await database.db.pool.query<{ id: string }>(
      `select id from ${table} where programme_id = $1 order by id desc limit 1`,
      [programme.id],
    )
    return rows[0]?.id ?? ''
  }
  const administrator = async () => {
    const phone = '+221776900002'
    await database.db.pool.query(
      `insert into staff (programme_id, first_name, last_name, msisdn, role, language)
       values ($1, 'Oumar', 'Fall', $2, 'administrator', 'fr') on conflict do nothing`,
      [programme.id, phone],
    )
    return phone
  }
  const settled = ['--as', 'delivered', '--reason', 'she showed it']
  const unknownMessage = async () => {
    const { rows } = await database.db.pool.query<{ id: string }>(
      `insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, not_before, status)
       select $1, id, 'notice', 'reply.stopped', 'bulk', 'unknown', now(), 'unknown' from members where number = $2
       returning id`,
      [programme.id, 'F-1'],
    )
    return rows[0]?.id ?? ''
  }

  interface Act {
    command: string
    action: string
    words(): string[] | Promise<string[]>
    /** Refused, or only tried: no row. */
    without(): string[][]
    /** Rows of the same words once more [1]. */
    again?: number
  }
  const of = ['--programme', 'fansoto']
  const members = () =>
    file(
      'members.csv',
      'number,first_name,last_name,phone\nF-1,Khady,Sow,771230001\nF-2,Ndeye,Fall,771230002\n',
    )
  const entries = () =>
    file(
      'entries.csv',
      'reference,kind,booked_date,description,account,debit,credit\nf/1,adjustment,2026-11-20,,cash,2000,\nf/1,adjustment,2026-11-20,,fees,,2000\n',
    )
  const acts: Act[] = [
    {
      command: 'notices',
      action: 'notice.stopped',
      words: () => ['notices', 'stop', ground.notice, ...of],
      without: () => [
        ['notices', ...of],
        ['notices', 'show', ground.notice, ...of],
        ['notices', 'stop', ground.draft, ...of],
        ['notices', 'stop', 'none', ...of],
      ],
      again: 0,
    },
    {
      command: 'programme',
      action: 'programme.opened',
      words: () => ['programme', file('palmis.yaml', description)],
      without: () => [['programme', 'no-such-file']],
      again: 0,
    },
    {
      command: 'programme',
      action: 'programme.changed',
      words: () => ['programme', file('palmis.yaml', `${description}dailyCap: 3\n`)],
      without: () => [],
      again: 0,
    },
    {
      command: 'import',
      action: 'file.imported',
      words: () => ['import', 'members', members(), ...of],
      without: () => [
        ['import', 'members', 'no-such-file', ...of],
        ['import', 'members', members(), '--dry-run', ...of],
        ['import', 'members', file('faulty.csv', 'number,first_name,last_name\nF-3,,x\n'), ...of],
      ],
      again: 0,
    },
    {
      command: 'import',
      action: 'file.imported',
      words: () => ['import', 'entries', entries(), '--silent', ...of],
      without: () => [['import', 'entries', entries(), '--dry-run', ...of]],
      again: 0,
    },
    {
      command: 'api-key',
      action: 'api_key.added',
      words: () => ['api-key', 'add', 'office 2', ...of],
      without: () => [
        ['api-key', 'add', 'x', '--scopes', 'all', ...of],
        ['api-key', 'list', ...of],
      ],
    },
    {
      command: 'api-key',
      action: 'api_key.revoked',
      words: async () => ['api-key', 'revoke', await newest('api_keys'), ...of],
      without: () => [['api-key', 'revoke', 'nobody', ...of]],
      again: 0,
    },
    {
      command: 'callback-secret',
      action: 'callback_secret.added',
      words: () => ['callback-secret', 'add', ...of],
      without: () => [['callback-secret', 'list', ...of]],
    },
    {
      command: 'callback-secret',
      action: 'callback_secret.retired',
      words: async () => ['callback-secret', 'retire', await newest('callback_secrets'), ...of],
      without: () => [['callback-secret', 'retire', 'nobody', ...of]],
      again: 0,
    },
    {
      command: 'pin-reset',
      action: 'pin.reset',
      words: () => ['pin-reset', ground.member, ground.facilitator, ...of],
      without: () => [['pin-reset', 'nobody', '+221776900001', ...of]],
    },
    {
      command: 'console-code',
      action: 'console.code_given',
      words: () => ['console-code', '--staff', ground.facilitator, ...of],
      without: () => [
        ['console-code', '--staff', '+221779999999', ...of],
        ['console-code', ...of],
      ],
    },
    {
      command: 'pin-reset',
      action: 'pin.reset',
      words: async () => ['pin-reset', '--staff', ground.facilitator, await administrator(), ...of],
      without: () => [['pin-reset', '--staff', ground.facilitator, ground.facilitator, ...of]],
    },
    {
      command: 'export',
      action: 'member.exported',
      words: () => ['export', 'member', ground.member, ...of],
      without: () => [['export', 'member', 'nobody', ...of]],
    },
    {
      command: 'erase',
      action: 'member.erased',
      words: () => ['erase', 'member', ground.member, ...of],
      without: () => [['erase', 'member', 'nobody', ...of]],
      again: 0,
    },
    {
      command: 'outbox',
      action: 'outbox.paused',
      words: () => ['outbox', 'pause'],
      without: () => [['outbox'], ['outbox', 'stop'], ['outbox', 'resume', '--doubtful', 'send']],
      again: 0,
    },
    {
      command: 'outbox',
      action: 'outbox.resumed',
      words: () => ['outbox', 'resume', '--doubtful', 'suppress'],
      without: () => [['outbox'], ['outbox', 'resume']],
      again: 0,
    },
    {
      command: 'messages',
      action: 'message.settled',
      words: async () => ['messages', 'settle', await unknownMessage(), ...settled],
      without: () => [['messages'], ['messages', 'settle', programme.id, ...settled]],
      again: 0,
    },
  ]

  test('every command that writes is in the table', () => {
    const names = cli().commands.map(({ name }) => name)
    const known = new Set([...acts.map(({ command }) => command), 'seed', ...unaudited])
    expect(new Set(names)).toEqual(known)
    showFigure('S15', `${acts.length + 1} acts of an operator: one row each`)
  })

  test.each(acts.map((act) => [act.action, act] as const))('%s', async (_, act) => {
    expect(await rowsOf(() => Promise.all(act.without().map((words) => tama(...words))))).toEqual([])
    const words = await act.words()
    const rows = await rowsOf(async () => expect(await tama(...words)).toBe(true))
    expect(rows).toMatchObject([{ actor: 'operator', action: act.action }])
    for (const word of ['Khady', 'Sow', '77123', 'Marie', '50937', ground.member, ground.facilitator])
      expect(rows[0]?.text).not.toContain(word)
    expect(await rowsOf(() => tama(...words))).toHaveLength(act.again ?? 1)
  })

  test('what only reads leaves none', async () => {
    const rows = await rowsOf(async () => {
      const days = ['--from', '2026-11-01', '--until', '2026-11-30']
      const out = ['--out', join(folder, 'out')]
      for (const words of [
        ['menus', 'check'],
        ['menus', 'diagram'],
        ['menus', 'screens', '--language', 'wo', ...of, ...out],
        ['menus', 'card', '--language', 'fr', ...of, ...out],
        ['menus', 'review', 'export', '--language', 'wo', ...out],
        ['verify', 'audit'],
        ['migrate'],
        ['holidays', 'SN', '2027'],
        ['cost', ...of, ...days],
      ])
        expect(await tama(...words), words.join(' ')).toBe(true)
    })
    expect(rows).toEqual([])
  })

  test('demo data leave the row that says so before all that they act out, and none in a database that has a programme', async () => {
    expect(await rowsOf(() => tama('seed'))).toEqual([])
    const empty = await createTestDatabase()
    vi.stubEnv('DATABASE_URL', empty.url)
    const rows = await rowsOf(async () => expect(await tama('seed', '--members', '40')).toBe(true), empty)
    expect(rows[0]).toMatchObject({ actor: 'operator', action: 'demo.seeded' })
    for (const { actor } of rows.slice(1)) expect(actor).toMatch(/^(staff|member|system):/)
    await empty.drop()
  })

  test('after all of it the chain is whole', async () => {
    expect((await verifyAudit(database.db.pool)).faults).toEqual([])
  })
})
