// Dialogues that were played on the demo's phone page and saved there: without a PIN, and replayed against the same made-up people.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { demoPin } from '../../src/simulator/demo-members.ts'
import { playDialogue, readDialogue } from '../support/dialogue.ts'
import { testNow } from '../support/fixtures.ts'
import { openPage, openProgramme } from '../support/phone-page.ts'

const folder = join(import.meta.dirname, 'saved')
const canary = '7391'
const screenSchema = z.object({ sessionId: z.string(), text: z.string(), open: z.boolean() })

/** Every answer is the one that was saved. */
async function replay(file: string): Promise<void> {
  const dialogue = readDialogue(file)
  const { demo } = dialogue
  if (demo === undefined) throw new Error(`${file} names no demo programme`)
  const programme = await openProgramme(demo.programme, new Date(demo.madeUpAt), new Date(demo.dialledAt))
  const played = await playDialogue(dialogue, {
    url: programme.url,
    label: 'saved',
    advanceMs: (ms) => programme.under.clock.advanceMs(ms),
    useMenuVersion: () => undefined,
  })
  await programme.close()
  expect(played.map(({ replies }) => `${replies[0]}\n`)).toEqual(
    dialogue.steps.map(({ expect: said }) => said),
  )
}

describe('a saved file of the demo', () => {
  test.each(readdirSync(folder))('%s replays', (file) => replay(join(folder, file)), 60_000)
})

describe('a dialogue played on the phone page', () => {
  let programme: Awaited<ReturnType<typeof openProgramme>>
  let page: Awaited<ReturnType<typeof openPage>>
  let scratch: string

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'tama-saved-'))
    programme = await openProgramme('belgium', testNow)
    page = await openPage(programme)
  }, 60_000)
  afterAll(async () => {
    await page.close()
    await programme.close()
    rmSync(scratch, { recursive: true, force: true })
  })

  async function ask(path: string, body: object) {
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }
    return screenSchema.parse(await (await fetch(`${page.url}/api/${path}`, options)).json())
  }

  const phone = (lastDigits: string) => `phones/${programme.profile.programme.code}-${lastDigits}`

  /** Dials, types, saves; gives the text of the file and where it stands. */
  async function play(lastDigits: string, code: string, inputs: readonly string[]) {
    let screen = await ask(`${phone(lastDigits)}/dial`, { code })
    for (const text of inputs) screen = await ask(`dialogues/${screen.sessionId}/input`, { text })
    const response = await fetch(`${page.url}/api/${phone(lastDigits)}/dialogue.yaml`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename=belgium-\w+\.yaml$/)
    const text = await response.text()
    const file = join(scratch, `${lastDigits}.yaml`)
    writeFileSync(file, text)
    return { text, file, last: screen }
  }

  test('replays in Arabic, with a wrong, a short and the right PIN as placeholders', async () => {
    const typed = ['1', canary, '73', demoPin, '98', '0', '0', '2']
    const { text, file, last } = await play('0101', '*384*3#', typed)
    expect(last.text).toMatch(/\p{Script=Arabic}/u)
    expect(text).not.toContain(canary)
    expect(text).not.toContain(demoPin)
    const marks = readDialogue(file).steps.flatMap(({ type }) => type ?? [])
    expect(marks).toEqual(['1', '{wrong pin}', '{malformed pin}', '{pin}', '98', '0', '0', '2'])
    await replay(file)
  }, 60_000)

  test('a first PIN, chosen with a weak and a different one between, replays', async () => {
    const inputs = ['3', '1', '1234', canary, '6058', canary, canary]
    const { text, file } = await play('0102', '*384*3#', inputs)
    expect(text).not.toContain(canary)
    expect(text).not.toContain('1234')
    const marks = readDialogue(file).steps.flatMap(({ type }) => type ?? [])
    expect(marks).toEqual(['3', '1', '{weak pin}', '{pin}', '{different pin}', '{pin}', '{pin}'])
    await replay(file)
  }, 60_000)

  test('a PIN that is dialled at once, or typed where none is asked for, is not in the file either', async () => {
    const { text, file } = await play('0105', `*384*3*1*${canary}#`, [demoPin, canary, `1*${canary}`, canary])
    expect(text).not.toContain(canary)
    expect(text).not.toContain(demoPin)
    expect(readDialogue(file).steps[0]?.dial).toBe('1*{pin}')
  })

  test('a redial that goes on where she was belongs to the same file, and replays', async () => {
    await play('0106', '*384*3#', ['1', demoPin])
    const { file } = await play('0106', '*384*3#', ['1', demoPin])
    expect(readDialogue(file).steps.map(({ dial }) => dial)).toEqual([
      '',
      undefined,
      undefined,
      '',
      undefined,
      undefined,
    ])
    await replay(file)
  }, 60_000)

  test('a phone on which nothing was dialled has nothing to save', async () => {
    expect((await fetch(`${page.url}/api/${phone('0107')}/dialogue.yaml`)).status).toBe(404)
  })
})
