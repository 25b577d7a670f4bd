// The console in a browser, on the demo as `tama serve` shows it: the code comes to the emulated phone. A picture of every page at two
// widths is kept under data/screenshots for a human look.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openBrowser } from '../support/browser.ts'
import { freePort } from '../support/redis.ts'
import { startTama, type Tama } from '../support/tama.ts'

const pictures = join(import.meta.dirname, '..', '..', 'data', 'screenshots')
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const administrator = { id: 'fansoto-0191', number: '+221770000191' }
const facilitator = { id: 'fansoto-0190', number: '+221770000190' }
const colleagues = {
  adviser: { id: 'fansoto-0192', number: '+221770000192' },
  social_worker: { id: 'fansoto-0193', number: '+221770000193' },
  branch: { id: 'fansoto-0194', number: '+221770000194' },
  auditor: { id: 'fansoto-0195', number: '+221770000195' },
}

interface Finding {
  id: string
  impact: string | null
  nodes: { html: string }[]
}

describe.skipIf(!hasChromium)('the console in a browser', () => {
  let folder: string
  let tama: Tama
  let base = ''
  let browser: Browser
  let page: Page
  const faults: string[] = []

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true })
    folder = mkdtempSync(join(tmpdir(), 'tama-console-'))
    tama = startTama(['serve'], { TAMA_DATA: folder, PORT: String(await freePort()), LOG_LEVEL: 'silent' })
    const [, phone = ''] = await tama.printed(/Phone +(\S+)\/phone/, 120_000)
    await tama.printed(/Metrics/)
    base = phone
    browser = await openBrowser()
    page = await openPage(1280, 900)
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    tama?.child.kill('SIGTERM')
    await tama?.ended
    rmSync(folder, { recursive: true, force: true })
  })

  /** A browser of its own, whose faults are collected: refused scripts and styles too. */
  async function openPage(width: number, height: number): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height }, locale: 'en-GB' })
    const opened = await context.newPage()
    opened.setDefaultTimeout(15_000)
    opened.on('console', (message) => {
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) faults.push(message.text())
    })
    opened.on('pageerror', (error) => faults.push(error.message))
    return opened
  }

  const used = new Set<string>()

  /** The code on an emulated phone that was not typed yet, as its holder reads it. */
  async function codeOn(phone: string): Promise<string> {
    for (let looks = 0; looks < 100; looks += 1) {
      const reply = await fetch(`${base}/phone/api/phones/${phone}`)
      const { messages } = (await reply.json()) as { messages: { text: string }[] }
      const codes = messages.flatMap(({ text }) => /\b\d{6}\b/.exec(text)?.[0] ?? [])
      const code = codes.find((one) => !used.has(one))
      if (code !== undefined) {
        used.add(code)
        return code
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    throw new Error(`no code came to ${phone}`)
  }

  async function signIn(on: Page, { id, number }: { id: string; number: string }): Promise<void> {
    await on.goto(`${base}/console/`)
    await on.getByLabel('Phone number').fill(number)
    await on.getByRole('button', { name: 'Send the code' }).click()
    const code = await codeOn(id)
    await on.getByLabel('Code from the SMS').fill(code)
    await on.getByRole('button', { name: 'Sign in' }).click()
    await toEnglish(on)
  }

  /** The console speaks her own language to her until she chooses another. */
  async function toEnglish(on: Page): Promise<void> {
    await on.getByRole('heading', { name: 'Aujourd', level: 1 }).waitFor()
    await on.getByRole('button', { name: 'English' }).click()
    await on.getByRole('heading', { name: 'Today', level: 1 }).waitFor()
  }

  /** Nothing serious for a screen reader or a keyboard, and nothing beyond the right edge. */
  async function look(on: Page, name: string): Promise<void> {
    const size = on.viewportSize() ?? { width: 1280, height: 900 }
    for (const width of [360, 1280]) {
      await on.setViewportSize({ width, height: width === 360 ? 740 : 900 })
      await on.screenshot({ path: join(pictures, `console-${name}-${width}.png`), fullPage: true })
      const overflow = await on.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      expect(overflow, `${name} at ${width}`).toBeLessThanOrEqual(0)
    }
    await on.setViewportSize(size)
    // As an extension would: the policy of the page lets no script of ours be put into it.
    const session = await on.context().newCDPSession(on)
    await session.send('Runtime.evaluate', { expression: axeSource })
    const { result } = await session.send('Runtime.evaluate', {
      expression:
        'axe.run(document, { resultTypes: ["violations"] }).then((r) => JSON.stringify(r.violations))',
      awaitPromise: true,
      returnByValue: true,
    })
    await session.detach()
    const findings = (JSON.parse(String(result.value)) as Finding[]).filter(({ impact }) =>
      ['serious', 'critical'].includes(impact ?? ''),
    )
    expect(
      findings.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
      name,
    ).toEqual([])
  }

  it('the first page comes over a slow network in less than 100 KB, all in', async () => {
    const slow = await openPage(360, 740)
    const session = await slow.context().newCDPSession(slow)
    await session.send('Network.enable')
    // As slow as 2G in the country: 35 kB a second at best, half a second away.
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 500,
      downloadThroughput: 35_000,
      uploadThroughput: 8_000,
    })
    let bytes = 0
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength
    })
    const startMs = performance.now()
    await slow.goto(`${base}/console/`, { waitUntil: 'load' })
    await slow.getByLabel('Phone number').waitFor()
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1)
    console.log(`The first page: ${bytes} bytes in ${seconds} s at 2G`)
    expect(bytes).toBeGreaterThan(1_000)
    expect(bytes).toBeLessThan(100_000)
    await look(slow, 'sign-in')
    await slow.context().close()
  })

  it('an administrator signs in with the code from her phone, by keyboard alone', async () => {
    await page.goto(`${base}/console/`)
    const tabTo = async (name: string) => {
      for (let presses = 0; presses < 30; presses += 1) {
        await page.keyboard.press('Tab')
        const label = await page.evaluate(() => {
          const at = document.activeElement
          return at instanceof HTMLInputElement
            ? (at.labels?.[0]?.textContent ?? '')
            : (at?.textContent ?? '')
        })
        if (label.trim() === name) return
      }
      throw new Error(`no way to "${name}" by Tab`)
    }
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await tabTo('Phone number')
    await page.keyboard.type(administrator.number)
    await tabTo('Send the code')
    await page.keyboard.press('Enter')
    await page.getByLabel('Code from the SMS').waitFor()
    await look(page, 'code')
    const code = await codeOn(administrator.id)
    await tabTo('Code from the SMS')
    await page.keyboard.type(code)
    await page.keyboard.press('Enter')
    await toEnglish(page)
  })

  it('a wrong code says so in words that a screen reader reads out', async () => {
    const other = await openPage(360, 740)
    await other.goto(`${base}/console/`)
    await other.getByLabel('Phone number').fill('+221770000999')
    await other.getByRole('button', { name: 'Send the code' }).click()
    await other.getByLabel('Code from the SMS').fill('123456')
    await other.getByRole('button', { name: 'Sign in' }).click()
    await other.getByRole('alert').getByText('This code is not right or too old').waitFor()
    await look(other, 'wrong-code')
    await other.context().close()
  })

  /** Of the notice that is sent here and watched to its end below: its minute of undoing passes meanwhile. */
  let watched = ''

  it('a notice to three groups in three languages leaves, while one network fails', async () => {
    const set = await fetch(`${base}/phone/api/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ lastWords: { '+22178': 'Failed' } }),
    })
    expect(set.status).toBe(200)
    await page.goto(`${base}/console/notices/new`)
    await page.getByText('Groups', { exact: true }).last().click()
    for (const box of (await page.locator('input[name=group]').all()).slice(0, 3)) await box.check()
    const words = { Français: 'Le foyer ouvre samedi à 9h.', English: 'The hall opens on Saturday at 9.' }
    await page.getByLabel('Text in Français').fill(words.Français)
    await page.getByLabel('Text in English').fill(words.English)
    await page.getByRole('button', { name: 'Preview' }).click()
    // Who reads Wolof would not understand it: nothing is half written.
    await page.getByRole('alert').waitFor()
    await look(page, 'notice-language-missing')
    await page.getByLabel('Text in Wolof').fill('Kër gi dina ubbi gaawu, 9 waxtu.')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByRole('heading', { name: 'Your own words', level: 1 }).waitFor()
    expect(await page.locator('.sms').count()).toBe(3)
    await look(page, 'notice-three-languages')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByRole('status').getByText('Until it leaves you can take it back').waitFor()
    watched = new URL(page.url()).pathname
  }, 60_000)

  it('every page of the menu stands at both widths without a serious finding', async () => {
    const paths = await page
      .locator('nav a')
      .evaluateAll((links) => links.map((one) => one.getAttribute('href') ?? ''))
    expect(paths.length).toBeGreaterThan(7)
    for (const path of paths) {
      await page.goto(`${base}${path}`)
      await look(page, path.replace('/console/', '').replaceAll('/', '-') || 'today')
    }
  }, 180_000)

  it('a notice is written, seen as on a phone, sent and taken back within its minute', async () => {
    await page.goto(`${base}/console/notices/new`)
    await page.getByText('Groups', { exact: true }).last().click()
    for (const box of (await page.locator('input[name=group]').all()).slice(0, 3)) await box.check()
    await page.getByLabel('About').selectOption('meeting_cancelled')
    await look(page, 'notice-form')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByRole('alert').getByText('Day: It is missing.').waitFor()
    await look(page, 'notice-fault')
    await page.getByLabel('Day', { exact: true }).fill('2199-01-05')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByRole('heading', { name: 'Meeting cancelled', level: 1 }).waitFor()
    expect(await page.locator('.sms').count()).toBeGreaterThan(1)
    await look(page, 'notice-preview')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByRole('status').getByText('Until it leaves you can take it back').waitFor()
    await look(page, 'notice-sent')
    await page.getByRole('button', { name: 'Take it back' }).click()
    await page.getByRole('status').getByText('Nothing was sent.').waitFor()
    await page.getByText('Taken back').first().waitFor()
    await look(page, 'notice-undone')
  }, 120_000)

  it('a member is found by name; her page shows phones, consents and money', async () => {
    await page.goto(`${base}/console/members`)
    await page.getByLabel('Find a member').fill('Awa Diatta')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('link', { name: 'Awa Diatta' }).first().click()
    await page.getByRole('heading', { name: 'Awa Diatta', level: 1 }).waitFor()
    await page.getByText('Still to pay').first().waitFor()
    await look(page, 'member')
    await page.goto(`${base}/console/groups`)
    await page.locator('main td a').first().click()
    await look(page, 'group')
  })

  it('a calendar is previewed, a meeting moved, and attendance stands ready where one has begun', async () => {
    await page.goto(`${base}/console/groups`)
    await page.locator('main td a').first().click()
    await page.getByRole('link', { name: 'Calendar' }).click()
    await page.getByLabel('How often').selectOption('last')
    await page.getByLabel('Weekday').selectOption('FR')
    await page.getByLabel('Hour').first().fill('10:00')
    await page.getByRole('button', { name: 'Show the days' }).click()
    await page.getByRole('button', { name: 'Meet on these days' }).waitFor()
    await look(page, 'calendar')
    await page.locator('main td a').first().click()
    await page.getByRole('heading', { name: 'Move', level: 2 }).waitFor()
    await look(page, 'meeting')
    await page.getByLabel('Place').fill('Under the big tree')
    await page.getByRole('button', { name: 'Move' }).click()
    await page.getByRole('status').getByText('Saved.').waitFor()
    await page.getByText('Under the big tree').first().waitFor()
    await page.goto(`${base}/console/groups`)
    await page.locator('main td a').first().click()
    await page.getByRole('link', { name: 'Training and first loan' }).click()
    await page.getByRole('heading', { name: 'Training and first loan', level: 1 }).waitFor()
    await look(page, 'training')
    await page.goto(`${base}/console/meetings`)
    await page.locator('main td a').first().click()
    await page.getByRole('heading', { name: 'Who came?' }).waitFor()
    await look(page, 'attendance')
  })

  it('a message shows its whole history', async () => {
    await page.goto(`${base}/console/messages?purpose=code`)
    await page.locator('main td a').first().click()
    await page.getByText('This message carries a code. It is not shown and not kept.').waitFor()
    await look(page, 'message')
  })

  it('a change is saved, stands in the audit log, and a mistake is named beside its field', async () => {
    await page.goto(`${base}/console/settings`)
    await page.getByLabel('Planned messages a member and day').fill('99')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByRole('alert').waitFor()
    await look(page, 'settings-fault')
    await page.getByLabel('Planned messages a member and day').fill('4')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByRole('status').getByText('Saved.').waitFor()
    await page.goto(`${base}/console/audit?action=programme.changed`)
    await page.getByText('{"daily_cap":4}').waitFor()
    await page.goto(`${base}/console/staff`)
    await page.getByRole('link', { name: 'Add a member of staff' }).click()
    await look(page, 'staff-new')
    await page.goto(`${base}/console/staff`)
    await page.locator('main td a').first().click()
    await look(page, 'staff-one')
  })

  it('a facilitator on a narrow phone sees her groups and may not see the staff', async () => {
    const narrow = await openPage(360, 740)
    await signIn(narrow, facilitator)
    await narrow.getByText('Menu', { exact: true }).click()
    await look(narrow, 'facilitator-menu')
    await narrow.goto(`${base}/console/staff`)
    await narrow.getByText('Your role may not see this page.').waitFor()
    await look(narrow, 'closed')
    await narrow.goto(`${base}/console/`)
    await narrow.getByRole('button', { name: 'Français' }).click()
    await narrow.getByRole('heading', { level: 1, name: 'Aujourd' }).waitFor()
    await look(narrow, 'french')
    await narrow.getByRole('button', { name: 'Se déconnecter' }).click()
    await narrow.getByLabel('Numéro de téléphone').waitFor()
    await narrow.context().close()
  })

  it('a request is opened for a member, handed over, taken and settled', async () => {
    await page.goto(`${base}/console/cases`)
    await look(page, 'cases-open')
    await page.goto(`${base}/console/members?q=Awa+Diatta`)
    await page.getByRole('link', { name: 'Awa Diatta' }).first().click()
    await page.getByLabel('Kind').selectOption('call_back')
    await page.getByRole('button', { name: 'Open a request' }).click()
    await page.getByRole('status').getByText('The request is opened.').waitFor()
    await page.locator('main td a[href^="/console/cases/"]').first().click()
    await page.getByRole('heading', { level: 1, name: /^Request / }).waitFor()
    await look(page, 'case')
    const address = page.url().split('?')[0] ?? ''
    await page.getByLabel('Hand it over to').selectOption({ index: 0 })
    await page.getByRole('button', { name: 'Hand over' }).click()
    await page.getByRole('status').getByText('It is handed over.').waitFor()
    await page.goto(address)
    await page.getByRole('button', { name: 'I take it' }).click()
    await page.getByRole('status').getByText('It is yours now.').waitFor()
    await page.getByLabel('Outcome').selectOption('answered')
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('status').getByText('The request is closed.').waitFor()
    await look(page, 'case-closed')
  }, 60_000)

  it('what a member says about messages is taken down in the words of her language', async () => {
    await page.goto(`${base}/console/members?q=Awa+Diatta`)
    await page.getByRole('link', { name: 'Awa Diatta' }).first().click()
    await page.getByText('What she says now').click()
    await look(page, 'consents')
    await page.getByLabel('Surveys').selectOption('no')
    await page.locator('details[open] button').last().click()
    await page.getByRole('status').getByText('Saved.').waitFor()
  })

  it('a file with faults names each by row in the language of the page; a sound one is previewed and written', async () => {
    const choose = async (text: string, kind?: string) => {
      if (kind !== undefined) await page.getByLabel('What is in it').selectOption(kind)
      await page
        .getByLabel('File', { exact: true })
        .setInputFiles({ name: 'groups.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
    }
    await page.goto(`${base}/console/files`)
    await choose('code,name,place,facilitator\nX1,Jappo,,77 123\nX2,,Brin,\nX2,Kafo,Brin,\n', 'groups')
    await page.getByRole('button', { name: 'Look it through' }).click()
    await page.getByText('There is no such phone number').waitFor()
    expect(await page.locator('main tbody tr').count()).toBe(3)
    expect(await page.getByRole('button', { name: 'Write it' }).count()).toBe(0)
    await look(page, 'file-faults')
    await page.goto(`${base}/console/files`)
    const sound = 'code,name,place,facilitator\nX1,Jappo,Bignona,77 000 01 90\nG001,Kassoumay,Brin,\n'
    await choose(sound, 'groups')
    await page.getByRole('button', { name: 'Look it through' }).click()
    await page.getByText('What would be written').waitFor()
    await look(page, 'file-preview')
    await choose(sound)
    await page.getByRole('button', { name: 'Write it' }).click()
    await page.getByRole('status').getByText('The file is written.').waitFor()
  }, 60_000)

  it.each([
    ['adviser', 'Requests', ['/notices', '/messages', '/staff', '/settings', '/audit', '/files', '/paths']],
    ['social_worker', 'Requests', ['/notices', '/messages', '/staff', '/settings', '/audit', '/files']],
    ['branch', 'Settings', ['/audit']],
    ['auditor', 'Audit log', ['/files', '/notices/new', '/staff/new']],
  ] as const)(
    'the walls of the %s: her own pages, and closed doors',
    async (role, own, closed) => {
      const hers = await openPage(360, 740)
      await signIn(hers, colleagues[role])
      await look(hers, `${role}-today`)
      await hers.getByText('Menu', { exact: true }).click()
      await hers.getByRole('link', { name: own, exact: true }).click()
      await hers.getByRole('heading', { name: own, level: 1 }).waitFor()
      for (const path of closed) {
        await hers.goto(`${base}/console${path}`)
        await hers.getByText('Your role may not see this page.').waitFor()
      }
      await hers.goto(`${base}/console/members?q=Awa+Diatta`)
      await hers.getByRole('link', { name: 'Awa Diatta' }).first().click()
      await hers.getByRole('heading', { name: 'Awa Diatta', level: 1 }).waitFor()
      await look(hers, `${role}-member`)
      const text = (await hers.locator('main').textContent()) ?? ''
      expect(text.includes('Still to pay')).toBe(role === 'branch')
      expect(/\+221770000101/.test(text)).toBe(role !== 'auditor')
      if (role === 'auditor') expect(await hers.locator('main form').count()).toBe(0)
      await hers.goto(`${base}/console/cases`)
      const social = (await hers.locator('main table').textContent()) ?? ''
      expect(social.includes('Social worker')).toBe(role === 'social_worker')
      await hers.context().close()
    },
    60_000,
  )

  it('the notice is watched to its end: reached, not reached and why, without a click', async () => {
    await page.goto(`${base}${watched}`)
    const words = page.locator('#progress .hint').first()
    // It renews itself; the page is not loaded again.
    await page.evaluate(() => document.body.setAttribute('data-loaded', 'once'))
    const over = /^Reached (\d+), Not reached (\d+)/
    await expect
      .poll(() => words.textContent({ timeout: 1_000 }).catch(() => ''), { timeout: 120_000, interval: 500 })
      .toMatch(over)
    expect(await page.locator('body').getAttribute('data-loaded')).toBe('once')
    const [, reached, missed] = over.exec((await words.textContent()) ?? '') ?? []
    expect(Number(reached)).toBeGreaterThan(10)
    expect(Number(missed)).toBeGreaterThan(3)
    expect(await page.locator('#progress').first().textContent()).not.toMatch(/Waiting \d|Sent \d/)
    await page.locator('#standing').getByText('Done', { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: 'Take it back' }).count()).toBe(0)
    await look(page, 'notice-over')
    await page.getByRole('link', { name: 'Not reached', exact: true }).click()
    await page.getByText('The network could not deliver it').first().waitFor()
    // They are those of the failing network, and nobody else.
    const people = page.locator('table', { hasText: 'The network could not deliver it' }).locator('tbody a')
    for (const name of await people.evaluateAll((links) =>
      links.slice(0, 3).map((one) => one.getAttribute('href')),
    )) {
      const member = await browserPageText(`${base}${name}`)
      expect(member).toMatch(/\+22178\d{7}/)
    }
  }, 180_000)

  /** A page as it is, beside the one that is looked at. */
  async function browserPageText(address: string): Promise<string> {
    const other = await page.context().newPage()
    await other.goto(address)
    const text = (await other.locator('main').textContent()) ?? ''
    await other.close()
    return text
  }

  it('the list to read out is printed, and whom she told is ticked off', async () => {
    await page.goto(`${base}${watched}`)
    await page.getByRole('link', { name: 'Read-out list' }).first().click()
    await page.getByRole('heading', { name: 'Read-out list', level: 1 }).waitFor()
    await look(page, 'read-out')
    await page.emulateMedia({ media: 'print' })
    await page.screenshot({ path: join(pictures, 'console-read-out-print.png'), fullPage: true })
    const paper = await page.pdf({ format: 'A4' })
    writeFileSync(join(pictures, 'console-read-out.pdf'), paper)
    expect(paper.subarray(0, 5).toString()).toBe('%PDF-')
    // On paper stand names and a box to tick, and nothing to press.
    expect(await page.locator('nav, footer, main form:visible').filter({ visible: true }).count()).toBe(0)
    expect(await page.locator('.box').filter({ visible: true }).count()).toBeGreaterThan(3)
    await page.emulateMedia({ media: null })
    const rows = page.locator('main tbody tr')
    const before = await rows.count()
    await page
      .getByRole('button', { name: /^Told / })
      .first()
      .click()
    await page.getByRole('status').getByText('Ticked off.').waitFor()
    expect(await rows.count()).toBe(before - 1)
  }, 60_000)

  it('works without JavaScript, as plain forms', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
    const plain = await context.newPage()
    await plain.goto(`${base}/console/`)
    await plain.getByLabel('Phone number').fill('+221770000999')
    await plain.getByRole('button', { name: 'Send the code' }).click()
    await plain.getByLabel('Code from the SMS').waitFor()
    await context.close()
  })

  it('no page was refused a script or a style, and none threw', () => {
    expect(faults).toEqual([])
  })
})
