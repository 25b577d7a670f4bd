// What a key may do, how it is seen to be used, and how it ends.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApiKey, listApiKeys, revokeApiKey, type Scope, scopes } from '../../src/http/keys.ts'
import { type ApiUnderTest, createGround, isWrite, routesIn, sampleOf, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme, type TestProgramme, testNow } from '../support/fixtures.ts'
import { changedTables, snapshotTables } from '../support/tables.ts'
import { productionEnvironment, runTama } from '../support/tama.ts'

let database: TestDatabase
let programme: TestProgramme
let api: ApiUnderTest

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  api = await serveApi(database.db)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

const keyWith = (...allowed: Scope[]) => createApiKey(database.db, programme.id, 'scoped', allowed, testNow)

it('each route asks for one scope: a key without it gets 403, names it, and changes nothing', async () => {
  const routes = routesIn(api.router)
  const readGround = await createGround(database.db, programme)
  for (const route of routes) {
    // What only reads finds all that it needs again.
    const ground = isWrite(route) ? await createGround(database.db, programme) : readGround
    const { path, body } = sampleOf(route, ground)
    const [method = ''] = route.split(' ')
    const nothing = await keyWith()
    const before = await snapshotTables(database.db.pool, ['api_keys'])
    const refused = await api.call(nothing, method, path, body)
    expect(refused.status, route).toBe(403)
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'auth.scope' })
    const needed = /scope "(\w+)"/.exec(refused.text.replaceAll('\\', ''))?.[1] as Scope
    expect(scopes, route).toContain(needed)
    const others = await keyWith(...scopes.filter((scope) => scope !== needed))
    expect((await api.call(others, method, path, body)).status, route).toBe(403)
    expect(
      changedTables(before, await snapshotTables(database.db.pool, ['api_keys', 'audit_log', 'audit_heads'])),
    ).toEqual(expect.not.arrayContaining(['entries', 'loans', 'messages']))
    expect((await api.call(await keyWith(needed), method, path, body)).status, route).toBeLessThan(300)
    // A key that only reads writes nothing.
    if (isWrite(route)) expect(needed, route).not.toBe('read')
  }
}, 180_000)

it('the day of the last use is kept, and no more than the day', async () => {
  const key = await createApiKey(database.db, programme.id, 'used', ['read'], testNow)
  const seen = async () =>
    (await listApiKeys(database.db.pool, programme.id)).find(({ name }) => name === 'used')?.lastUsedOn
  expect(await seen()).toBeNull()
  for (const day of ['2026-11-22', '2026-11-22', '2026-11-24']) {
    api.clock.set(new Date(`${day}T23:59:00Z`))
    await api.call(key, 'get', '/loans/none')
    expect(await seen()).toBe(day)
  }
  api.clock.set(testNow)
})

it('a revoked key counts for nothing from the next request on, and only its own programme can revoke it', async () => {
  const key = await createApiKey(database.db, programme.id, 'ending', ['read'], testNow)
  const other = await createProgramme(database.db, { code: 'palmis', serviceCode: '*385*1', currency: 'HTG' })
  const id =
    (await listApiKeys(database.db.pool, programme.id)).find(({ name }) => name === 'ending')?.id ?? ''
  expect(await revokeApiKey(database.db, other.id, id, testNow)).toBe(false)
  expect((await api.call(key, 'get', '/loans/none')).status).toBe(404)
  expect(await revokeApiKey(database.db, programme.id, id, testNow)).toBe(true)
  expect((await api.call(key, 'get', '/loans/none')).status).toBe(401)
  expect(await revokeApiKey(database.db, programme.id, id, testNow)).toBe(false)
  const audited = await database.db.pool.query(
    'select action from audit_log where subject = $1 order by id',
    [`api_key:${id}`],
  )
  expect(audited.rows.map(({ action }) => action)).toEqual(['api_key.added', 'api_key.revoked'])
})

it('keys are made, listed and revoked on the command line; a new one only reads unless told more', async () => {
  const environment = productionEnvironment(database.url)
  const added = await runTama(['api-key', 'add', 'console', '--programme', 'fansoto'], environment)
  const key = /^[\w-]{43}$/m.exec(added.output)?.[0] ?? ''
  expect((await api.call(key, 'get', '/loans/none')).status).toBe(404)
  expect((await api.call(key, 'post', '/entries', {})).status).toBe(403)
  const listed = await runTama(['api-key', 'list', '--programme', 'fansoto'], environment)
  expect(listed.output).not.toContain(key)
  const id = /^([\da-f-]{36}) {2}console {2}read {2}last used 2026-11-22$/m.exec(listed.output)?.[1] ?? ''
  expect((await runTama(['api-key', 'revoke', id, '--programme', 'fansoto'], environment)).code).toBe(0)
  expect((await api.call(key, 'get', '/loans/none')).status).toBe(401)
  const wrong = await runTama(
    ['api-key', 'add', 'x', '--programme', 'fansoto', '--scopes', 'all'],
    environment,
  )
  expect(wrong).toMatchObject({ code: 2, output: expect.stringContaining('There is no scope "all"') })
}, 60_000)
