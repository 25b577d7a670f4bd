// In: a member and a moment. Out: what a screen shows, one round trip a screen; one entry of `sources` per kind of data, which menus name
// under `needs`. Who may see it is the menu's business: its gates stand before.
import { Decimal } from 'decimal.js'
import { type CalendarDate, localParts } from '../calendar.ts'
import type { Db } from '../db.ts'
import { type Gsm7Rules, measureUssd, spell } from '../encoding.ts'
import type { I18n } from '../i18n.ts'
import { type MemberBalances, nextDueOf, readBalances, readSchedule } from '../ledger/position.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import { whoCalls } from '../members/who-calls.ts'
import { type Amount, currencyExponent } from '../money.ts'
import { caseSources } from './data-cases.ts'
import { groupSources } from './data-group.ts'
import { meetingSources } from './data-meetings.ts'
import { memberIn, messageSources } from './data-messages.ts'
import { noticeSources, writtenMax } from './data-notices.ts'
import { receiptSources } from './data-receipts.ts'
import type { Dialogue } from './session.ts'

export interface DataContext {
  db: Db
  i18n: I18n
  programme: ProgrammeInfo
  dialogue: Dialogue
  language: string
  msisdn: string
  networkCode: string | undefined
  now: Date
}

export type LineValues = Readonly<Record<string, string>>

export interface Line {
  /** `<menu>.<state>.<name>`. */
  name: string
  values: LineValues
}

/** An option that comes from data; its label is raw (an endonym, an alias) or a text of the state. */
export type DataOption = { value: string } & (Label | { name: string; values: LineValues })

/** Raw, in the language that it is spelt in. */
export interface Label {
  label: string
  labelLanguage: string
}

export interface View {
  lines: Line[]
  options?: DataOption[]
  /** Facts that hold, for `when`. */
  facts?: string[]
  /** What the screen is about. */
  subject?: string
}

export interface Source {
  /** Texts it may show, with the longest values that are to be expected. */
  texts: Readonly<Record<string, (sample: Samples) => LineValues>>
  /** Texts of its options, with samples. */
  optionTexts?: Readonly<Record<string, (sample: Samples) => LineValues>>
  /** Most options it may yield; menu keys up to this number are taken. */
  optionsMax?: number
  /** The most often that one of its texts may stand on a screen [1]. */
  linesMax?: number
  /** Texts that stand without the others. */
  alone?: readonly string[]
  /** The longest label of an option that is no text of the state. */
  labels?: (i18n: I18n, tag: string, offered: readonly string[]) => readonly Label[]
  facts?: readonly string[]
  /** True when it reads what belongs to one member. */
  ofMember: boolean
  /** Shown only behind a PIN. */
  behindPin?: true
  load(context: DataContext): Promise<View>
}

/** Longest values in a language, for the boot check. */
export interface Samples {
  amount: string
  /** With a sign, for corrections only. */
  signedAmount: string
  date: string
  time: string
  place: string
  title: string
  count: string
  phone: string
  code: string
  number: string
  /** What she is asked about our messages, as it stands. */
  wording: string
  alias: string
  /** Of those of a group who said the same. */
  names: string
  /** The same with how far each has come. */
  longNames: string
  /** What an educator reads out. */
  sentence: string
  /** As much as somebody writes by phone. */
  written: string
  /** A notice as it will be sent. */
  notice: string
}

/** The longest values that the data can bring, for the proof that every screen fits. Names and places of words page at their borders. */
export function samplesOf(i18n: I18n, tag: string, currency: string): Samples {
  const amount = longestAmount(i18n, tag, currency)
  return {
    amount,
    signedAmount: `-${amount}`,
    date: longestDate(i18n, tag),
    time: i18n.time(tag, 23 * 60 + 59),
    place: 'Maison des femmes de Ziguinchor',
    title: 'Le role du groupe et de sa caisse de solidarite',
    count: i18n.number(tag, 99),
    phone: '+221 33 800 00 0',
    code: '*384*123456#',
    number: 'L-2026-001234',
    wording: i18n.language(tag).consent.wording,
    alias: longestAlias,
    names: Array.from({ length: 10 }, () => longestAlias).join(', '),
    longNames: Array.from({ length: 10 }, () => `${longestAlias} 5/6`).join(', '),
    sentence: words(120),
    written: words(writtenMax),
    notice: words(160),
  }
}

/** So many letters of words that anybody could write. */
const words = (letters: number) => 'Apportez votre carnet '.repeat(8).slice(0, letters)

/** Currencies of which a hundred thousand is a fortune for a member. */
const strong: ReadonlySet<string> = new Set(['EUR', 'USD', 'CAD', 'GBP', 'CHF', 'AUD', 'NZD'])

/**
 * Eight figures where the currency has no minor unit, six and the decimals where it is a strong one, else seven and the decimals:
 * many times the largest loan.
 */
export function longestAmount(i18n: I18n, tag: string, currency: string): string {
  const exponent = currencyExponent(currency)
  const amount = new Decimal(
    exponent === 0 ? '99999999' : `${strong.has(currency) ? '999999' : '9999999'}.${'9'.repeat(exponent)}`,
  )
  return i18n.amount(tag, amount, currency)
}

const longestDates = new WeakMap<I18n, Map<string, string>>()

/** In the language's own spelling. */
export function longestDate(i18n: I18n, tag: string): string {
  const known = longestDates.get(i18n) ?? new Map<string, string>()
  longestDates.set(i18n, known)
  let longest = known.get(tag)
  if (longest === undefined) {
    const { gsm7 } = i18n.language(tag)
    // A week in the middle of every month, also of those of the Solar Hijri year: each weekday with each month and a day of two digits.
    const texts = Array.from({ length: 12 * 7 }, (_, at) => {
      const month = String((at % 12) + 1).padStart(2, '0')
      return i18n.date(tag, `2026-${month}-${10 + Math.floor(at / 12)}` as CalendarDate)
    })
    longest = texts.reduce((one, other) => (lengthOf(other, gsm7) > lengthOf(one, gsm7) ? other : one), '')
    known.set(tag, longest)
  }
  return longest
}

const lengthOf = (text: string, rules: Gsm7Rules | null) => measureUssd(spell(text, rules)).octets

const nothing = () => ({})

const longestAlias = 'Marie-Madeleine Samb'
/** Members of one phone that a screen offers. */
const membersShownMax = 7

function balances(context: DataContext): Promise<MemberBalances> {
  const { date } = localParts(context.now, context.programme.timeZone)
  return readBalances(context.db.reads, memberIn(context), date)
}

export const amountIn = ({ i18n, language, programme }: DataContext, amount: Amount) =>
  i18n.amount(language, amount, programme.currencyCode)

const amountSample = ({ amount }: Samples) => ({ amount })
const dueSample = ({ amount, date }: Samples) => ({ amount, date })

export const sources: Readonly<Record<string, Source>> = {
  ...receiptSources,

  /** What is still to be paid in all, the next instalment, savings. */
  account: {
    texts: { outstanding: amountSample, next: dueSample, savings: amountSample, no_loan: nothing },
    alone: ['no_loan'],
    facts: ['has_loan', 'has_savings'],
    ofMember: true,
    async load(context) {
      const { loans, savings } = await balances(context)
      const lines: Line[] = []
      const facts: string[] = []
      const first = loans[0]
      if (first === undefined) lines.push({ name: 'no_loan', values: {} })
      else {
        facts.push('has_loan')
        const outstanding = loans
          .slice(1)
          .reduce((sum, loan) => sum.plus(loan.outstanding), first.outstanding)
        lines.push({ name: 'outstanding', values: { amount: amountIn(context, outstanding) } })
        const next = nextDueOf(loans)
        if (next !== undefined)
          lines.push({
            name: 'next',
            values: {
              amount: amountIn(context, next.amount),
              date: context.i18n.date(context.language, next.dueDate),
            },
          })
      }
      if (savings !== undefined) {
        facts.push('has_savings')
        lines.push({ name: 'savings', values: { amount: amountIn(context, savings) } })
      }
      return { lines, facts }
    },
  },

  loan: {
    linesMax: 2,
    alone: ['none'],
    texts: {
      none: nothing,
      /** Only with several loans. */
      heading: ({ number }) => ({ number }),
      outstanding: amountSample,
      overdue: amountSample,
      next: dueSample,
    },
    facts: ['has_loan'],
    ofMember: true,
    async load(context) {
      const { loans } = await balances(context)
      if (loans.length === 0) return { lines: [{ name: 'none', values: {} }] }
      const lines: Line[] = []
      for (const loan of loans) {
        if (loans.length > 1) lines.push({ name: 'heading', values: { number: loan.number } })
        lines.push({ name: 'outstanding', values: { amount: amountIn(context, loan.outstanding) } })
        if (loan.overdue.greaterThan(0))
          lines.push({ name: 'overdue', values: { amount: amountIn(context, loan.overdue) } })
        if (loan.next !== undefined)
          lines.push({
            name: 'next',
            values: {
              amount: amountIn(context, loan.next.remaining),
              date: context.i18n.date(context.language, loan.next.dueDate),
            },
          })
      }
      return { lines, facts: ['has_loan'] }
    },
  },

  schedule: {
    linesMax: 24,
    alone: ['none', 'heading', 'part', 'paid'],
    texts: {
      none: nothing,
      /** Only with several loans. */
      heading: ({ number }) => ({ number }),
      due: dueSample,
      part: dueSample,
      paid: ({ date }) => ({ date }),
    },
    ofMember: true,
    async load(context) {
      const rows = await readSchedule(context.db.reads, memberIn(context))
      if (rows.length === 0) return { lines: [{ name: 'none', values: {} }] }
      const severalLoans = rows.some((row) => row.loanNumber !== rows[0]?.loanNumber)
      const lines: Line[] = []
      let loan = ''
      for (const { loanNumber, dueDate, amount, remaining } of rows) {
        if (severalLoans && loan !== loanNumber)
          lines.push({ name: 'heading', values: { number: loanNumber } })
        loan = loanNumber
        const date = context.i18n.date(context.language, dueDate)
        if (remaining.isZero()) lines.push({ name: 'paid', values: { date } })
        else {
          const name = remaining.equals(amount) ? 'due' : 'part'
          lines.push({ name, values: { date, amount: amountIn(context, remaining) } })
        }
      }
      return { lines }
    },
  },

  savings: {
    texts: { none: nothing, savings: amountSample },
    alone: ['none'],
    ofMember: true,
    async load(context) {
      const { savings } = await balances(context)
      return savings === undefined
        ? { lines: [{ name: 'none', values: {} }] }
        : { lines: [{ name: 'savings', values: { amount: amountIn(context, savings) } }] }
    },
  },

  ...meetingSources,

  /** The programme's languages, each by its own name. */
  languages: {
    texts: {},
    optionsMax: 7,
    labels: (i18n, _tag, offered) =>
      offered.map((tag) => ({ label: i18n.language(tag).endonym, labelLanguage: tag })),
    ofMember: false,
    load({ programme, i18n }) {
      const options = programme.languages.flatMap((code) => {
        const info = i18n.languages.get(code)
        return info === undefined ? [] : [{ value: code, label: info.endonym, labelLanguage: code }]
      })
      return Promise.resolve({ lines: [], options })
    },
  },

  /** Who shares this phone, by the short name each is known by. */
  members: {
    texts: {},
    optionsMax: membersShownMax,
    labels: (_i18n, tag) =>
      Array.from({ length: membersShownMax }, () => ({ label: longestAlias, labelLanguage: tag })),
    ofMember: false,
    async load({ db, programme, msisdn, language }) {
      const { caller } = await whoCalls(db.reads, programme.id, msisdn)
      const options = (caller?.members ?? [])
        .slice(0, membersShownMax)
        .map(({ id, alias }) => ({ value: id, label: alias, labelLanguage: language }))
      return { lines: [], options }
    },
  },

  ...messageSources,
  ...caseSources,
  ...groupSources,
  ...noticeSources,

  /** Where to ask. */
  office: {
    texts: { dial: ({ code }) => ({ code }), phone: ({ phone }) => ({ phone }), facilitator: nothing },
    alone: ['facilitator'],
    ofMember: false,
    load({ programme }) {
      const { serviceCode, officePhone } = programme
      const dial = { name: 'dial', values: { code: `${serviceCode}#` } }
      const ask =
        officePhone === null
          ? { name: 'facilitator', values: {} }
          : { name: 'phone', values: { phone: officePhone } }
      return Promise.resolve({ lines: [dial, ask] })
    },
  },
}

/** Facts that every state knows. */
export const dialogueFacts: Readonly<Record<string, (dialogue: Dialogue) => boolean>> = {
  has_pin: ({ hasPin }) => hasPin,
  no_pin: ({ hasPin }) => !hasPin,
  also_staff: ({ alsoStaff }) => alsoStaff,
}
