// `tama serve --programme NAME`: real processes on one data folder, one after the other.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { profileNames } from '../../src/simulator/profile.ts'
import { createTestDatabase } from '../support/database.ts'
import { createProgramme } from '../support/fixtures.ts'
import { freePort } from '../support/redis.ts'
import { runTama, startTama } from '../support/tama.ts'

const phonesSchema = z.array(z.object({ programme: z.object({ name: z.string() }), serviceCode: z.string() }))

describe('the choice of demo programmes', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tama-choice-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Programmes on the phone page in their order, and the line of what to try. */
  async function shown(...words: string[]) {
    const tama = startTama(['serve', ...words], { TAMA_DATA: folder, PORT: String(await freePort()) })
    const [, address = ''] = await tama.printed(/Phone +(\S+)/, 120_000)
    const [, number = '', code = ''] = await tama.printed(/Try +(\+\d+) .*dial (\*[\d*]+#)/)
    await tama.printed(/Metrics/)
    const phones = phonesSchema.parse(await (await fetch(`${address}/api/phones`)).json())
    tama.child.kill('SIGTERM')
    expect(await tama.ended).toBe(0)
    return { names: [...new Set(phones.map(({ programme }) => programme.name))], number, code }
  }

  it('shows the asked one, adds others beside it, keeps them, and asks for none twice', async () => {
    const haiti = await shown('--programme', 'haiti')
    expect(haiti).toMatchObject({ names: ['haiti'], code: '*384*2#' })
    expect(haiti.number).toMatch(/^\+509/)
    expect(await shown('--programme', 'quebec')).toMatchObject({
      names: ['quebec', 'haiti'],
      code: '*384*5#',
    })
    expect(await shown('--programme', 'haiti')).toMatchObject({ names: ['haiti', 'quebec'], code: '*384*2#' })
    expect((await shown()).names).toEqual(['haiti', 'quebec'])
    expect((await shown('--programme', 'all')).names).toEqual([...profileNames])
  }, 300_000)

  it('is refused in production, with a provider account, and beside members who are real', async () => {
    const database = await createTestDatabase()
    await createProgramme(database.db, { code: 'real' })
    const environment = { DATABASE_URL: database.url, TAMA_DATA: folder, PORT: '0' }
    const account = { AT_USERNAME: 'sandbox', AT_API_KEY: 'a key' }
    const secret = 'a-secret-of-22-letters-x'
    const production = { NODE_ENV: 'production', PIN_PEPPER: secret, ADMIN_KEY: secret, ...account }
    const tried = [
      [production, 'Production shows no demo'],
      [account, 'There is no demo to show'],
      [{}, 'no demo\'s: "real"'],
    ] as const
    for (const [more, sentence] of tried) {
      const { code, output } = await runTama(['serve', '--programme', 'haiti'], { ...environment, ...more })
      expect(output).toContain(sentence)
      expect(code).toBe(1)
    }
    const { rows } = await database.db.pool.query('select code from programmes')
    expect(rows).toEqual([{ code: 'real' }])
    await database.drop()
  }, 120_000)
})
