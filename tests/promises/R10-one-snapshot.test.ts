// Money moves between a member's savings and her loan while she reads both, by USSD and by SMS: what she is shown was true, all of it
// together, at one moment between her asking and the answer.
import { Decimal } from 'decimal.js'
import { expect, it, onTestFinished } from 'vitest'
import { savingsAccountCode } from '../../src/ledger/accounts.ts'
import { postEntries } from '../../src/ledger/entries.ts'
import { auditLedger } from '../support/audit.ts'
import { anyServing, pause, postCallback, smsFields, ussdFields } from '../support/callers.ts'
import { createCrowd, crowdPin, giveCrowdLoans, giveCrowdPins, instalmentAmount } from '../support/crowd.ts'
import { type Harness, type Place, pepper, startHarness } from '../support/harness.ts'
import { atScale, showFigure } from '../support/promises.ts'

const members = 8
const readsByUssd = atScale(40, 2_000)
const readsBySms = atScale(8, 60)

/** What she owed and had from one commit to the next. */
interface State {
  owed: number
  saved: number
  /** No reader can see it before. */
  sentMs: number
  /** Every reader sees it from here on. */
  doneMs: number
}

interface Screen {
  owed?: number
  saved?: number
  next?: number
  schedule?: number
  /** The text, for the report of a failure. */
  text: string
}

it(`${readsByUssd} dialogues and ${readsBySms} texts while money moves: every screen is one snapshot of the ledger`, {
  timeout: atScale(180_000, 600_000),
}, async () => {
  const harness = await startHarness({ backend: 'PostgreSQL' })
  onTestFinished(() => harness.close())
  const crowd = await createCrowd(harness.db, members + readsBySms)
  await giveCrowdLoans(harness.db, crowd, members + readsBySms)
  await giveCrowdPins(harness.db, pepper)
  const webs = [harness.keep('web'), harness.keep('web')]
  const worker = harness.keep('worker')
  await Promise.all([...webs, worker].map((place) => place.filled()))

  let over = false
  let moves = 0
  const histories = Array.from({ length: members + readsBySms }, (): State[] => [
    { owed: 2 * instalmentAmount, saved: 0, sentMs: 0, doneMs: 0 },
  ])
  const posters = [0, 1].map(async (half) => {
    for (let turn = half; !over; turn += 2) {
      const member = turn % histories.length
      await moveMoney(harness, crowd.programme.id, member, histories[member] ?? [], moves)
      moves += 1
    }
  })

  const faults: string[] = []
  const check = (member: number, screen: Screen, fromMs: number, untilMs: number) => {
    const states = histories[member] ?? []
    const fits = states.some((state, index) => {
      const next = states[index + 1]
      return state.sentMs <= untilMs && (next === undefined || next.doneMs >= fromMs) && agrees(screen, state)
    })
    if (!fits) faults.push(`member ${member}: ${JSON.stringify(screen.text)}`)
  }

  let screens = 0
  const readers = Array.from({ length: 4 }, async (_, reader) => {
    for (let read = reader; read < readsByUssd; read += 4) {
      const member = read % members
      for await (const { text, fromMs, untilMs } of dialogue(webs, `ATUid_${read}`, crowd.msisdnOf(member))) {
        check(member, parse(text), fromMs, untilMs)
        screens += 1
      }
    }
  })
  await Promise.all(readers)

  // One text each: a guard would keep back more from one number.
  for (let member = members; member < members + readsBySms; member += 1) {
    const msisdn = crowd.msisdnOf(member)
    const fromMs = performance.now()
    await postCallback(anyServing(webs) ?? '', 'sms', smsFields(`ask-${member}`, msisdn, 'SOLDE'))
    const answer = () =>
      harness.provider.calls.find((call) => call.recipients.includes(msisdn) && call.text.includes('Reste'))
    await expect.poll(() => answer()?.text, { timeout: 20_000, interval: 10 }).toContain('Epargne')
    check(member, parse(answer()?.text ?? ''), fromMs, performance.now())
    screens += 1
  }
  over = true
  await Promise.all(posters)
  expect(faults.slice(0, 5)).toEqual([])
  expect(moves).toBeGreaterThan(readsByUssd)
  await auditLedger(harness.db)
  showFigure(
    'R10',
    `${screens} screens and texts read during ${moves} postings: each equals the ledger at one instant between question and answer`,
  )
})

/** Root, PIN, account, loan, schedule: each screen with money on it, and when it was asked and answered. */
async function* dialogue(webs: readonly Place[], sessionId: string, msisdn: string) {
  const typed: string[] = []
  const hop = async () => {
    const base = anyServing(webs) ?? ''
    const { text } = await postCallback(base, 'ussd', ussdFields(sessionId, msisdn, typed.join('*')))
    return text
  }
  // An earlier dialogue may offer to go on: "2" begins anew.
  if ((await hop()).includes('milieu')) {
    typed.push('2')
    await hop()
  }
  typed.push('1')
  await hop()
  for (const input of [crowdPin, '1', '1', '0', '0', '2']) {
    typed.push(input)
    const fromMs = performance.now()
    const text = await hop()
    yield { text, fromMs, untilMs: performance.now() }
  }
}

/** She pays from her savings, draws from her loan into them, or saves: what she owes and has changes in one commit. */
async function moveMoney(
  { db }: Harness,
  programmeId: string,
  member: number,
  states: State[],
  count: number,
): Promise<void> {
  const last = states.at(-1)
  if (last === undefined) return
  const amount = 100 * (1 + Math.floor(Math.random() * 20))
  const loan = `loan/L${member}`
  const savings = savingsAccountCode(`M${member}`)
  const [kind, from, to, owes, has] =
    last.owed < 2 * instalmentAmount - amount && Math.random() < 0.3
      ? (['draws', savings, loan, 1, 1] as const)
      : last.saved >= amount && last.owed > 5_000
        ? (['pays', loan, savings, -1, -1] as const)
        : (['saves', savings, 'cash', 0, 1] as const)
  const entry = {
    reference: `${kind}/${member}/${count}`,
    // Kinds that tell nobody: the trial is about reading.
    kind: 'adjustment' as const,
    bookedDate: new Date().toISOString().slice(0, 10),
    postings: [
      { account: from, amount: new Decimal(-amount) },
      { account: to, amount: new Decimal(amount) },
    ],
  }
  const state: State = {
    owed: last.owed + owes * amount,
    saved: last.saved + has * amount,
    sentMs: performance.now(),
    doneMs: Number.POSITIVE_INFINITY,
  }
  states.push(state)
  await db.transaction((tx) => postEntries(tx, programmeId, 'trial', [entry]))
  state.doneMs = performance.now()
  await pause(2)
}

const amounts = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map((match) => Number((match[1] ?? '').replace(/\D/g, '')))

/** The figures of a screen or text in French. */
function parse(text: string): Screen {
  const [owed] = amounts(text, /Reste à payer: ([\d  ]+)/g)
  const [saved] = amounts(text, /[ÉE]pargne: ([\d  ]+)/g)
  const [next] = amounts(text, /Prochain: [^,\n]*, ([\d  ]+)/g)
  const due = amounts(text, /^(?!Prochain|Reste|Votre|[ÉE]pargne)[^\n:]*\d[^\n:]*: (?:reste )?([\d  ]+) ?F/gm)
  return {
    text,
    ...(owed === undefined ? {} : { owed }),
    ...(saved === undefined ? {} : { saved }),
    ...(next === undefined ? {} : { next }),
    ...(due.length === 0 ? {} : { schedule: due.reduce((sum, amount) => sum + amount, 0) }),
  }
}

/** A first instalment is what is left above the second; when that is paid the second is what is left. */
function agrees({ owed, saved, next, schedule }: Screen, state: State): boolean {
  const due = state.owed > instalmentAmount ? state.owed - instalmentAmount : state.owed
  return (
    (owed === undefined || owed === state.owed) &&
    (saved === undefined || saved === state.saved) &&
    (next === undefined || next === due) &&
    (schedule === undefined || schedule === state.owed)
  )
}
