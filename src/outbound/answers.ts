// In: a question that she asked by SMS or in a dialogue that was too slow. Out: what the ledger says now, for a full text.
// Reads the ledger at the moment of sending; a number asked for yesterday is not sent today.
import { Decimal } from 'decimal.js'
import { localParts } from '../calendar.ts'
import { measureSms, spell } from '../encoding.ts'
import type { Values } from '../i18n.ts'
import {
  type MemberPosition,
  nextDueOf,
  readMovements,
  readPosition,
  readSchedule,
} from '../ledger/position.ts'
import type { Amount } from '../money.ts'
import {
  fitValue,
  momentValues,
  placeCharactersMax,
  type Stated,
  type TextAsk,
  titleCharactersMax,
  titleIn,
} from './wording.ts'

/** Septets or UCS-2 units that a list may take, so that the text around it still fits one segment, or three of UCS-2. */
export const listUnitsMax = 110
const movementsMax = 5

interface Asked extends TextAsk {
  memberId: string
  today: string
}

type Answer = (asked: Asked) => Promise<Stated>

/** Undefined when there is no such question or nobody to answer it for. */
export async function answerOf(ask: TextAsk): Promise<Stated | undefined> {
  const answer = answers[ask.row.template]
  const { memberId, timeZone } = ask.row
  if (answer === undefined || memberId === null) return undefined
  return answer({ ...ask, memberId, today: localParts(ask.now, timeZone).date })
}

const answers: Readonly<Record<string, Answer>> = {
  'reply.balance': answerBalance,
  'reply.due': answerDue,
  'reply.meeting': answerMeeting,
  'answer.loan': answerLoan,
  'answer.schedule': answerSchedule,
  'answer.savings': answerSavings,
  'answer.movements': answerMovements,
  'answer.meeting': answerMeeting,
  'answer.training': answerTraining,
}

const none: Stated = { variant: 'full_none', values: {} }

function positionOf({ reads, memberId, now, today }: Asked): Promise<MemberPosition> {
  return readPosition(reads, memberId, now, today)
}

function outstandingOf(position: MemberPosition): Amount {
  return position.loans.reduce((sum, loan) => sum.plus(loan.outstanding), new Decimal(0))
}

function nextValues(asked: Asked, position: MemberPosition): Values | undefined {
  const next = nextDueOf(position.loans)
  if (next === undefined) return undefined
  return {
    date: asked.i18n.date(asked.language, next.dueDate),
    amount: asked.i18n.amount(asked.language, next.amount, position.currency),
  }
}

async function answerBalance(asked: Asked): Promise<Stated> {
  const { i18n, language } = asked
  const position = await positionOf(asked)
  const part = (key: string, amount: Amount) =>
    i18n.text(language, 'sms', key, { balance: i18n.amount(language, amount, position.currency) })
  const parts = [
    ...(position.loans.length > 0 ? [part('part.outstanding', outstandingOf(position))] : []),
    ...(position.savings === undefined ? [] : [part('part.savings', position.savings)]),
  ]
  return parts.length === 0 ? none : { variant: 'full', values: { parts: parts.join(' ') } }
}

async function answerDue(asked: Asked): Promise<Stated> {
  const next = nextValues(asked, await positionOf(asked))
  return next === undefined ? none : { variant: 'full', values: next }
}

async function answerLoan(asked: Asked): Promise<Stated> {
  const position = await positionOf(asked)
  if (position.loans.length === 0) return none
  const balance = asked.i18n.amount(asked.language, outstandingOf(position), position.currency)
  const next = nextValues(asked, position)
  return next === undefined
    ? { variant: 'full_no_date', values: { balance } }
    : { variant: 'full', values: { balance, ...next } }
}

async function answerSavings(asked: Asked): Promise<Stated> {
  const { savings, currency } = await positionOf(asked)
  if (savings === undefined) return none
  return { variant: 'full', values: { balance: asked.i18n.amount(asked.language, savings, currency) } }
}

async function answerMeeting(asked: Asked): Promise<Stated> {
  const { nextMeeting } = await positionOf(asked)
  return nextMeeting === undefined ? none : { variant: 'full', values: placeAndMoment(asked, nextMeeting) }
}

async function answerTraining(asked: Asked): Promise<Stated> {
  const { nextTraining } = await positionOf(asked)
  if (nextTraining === undefined) return none
  const info = asked.i18n.language(asked.language)
  const title = fitValue(titleIn(nextTraining.titles, asked.row, asked.language), info, titleCharactersMax)
  return { variant: 'full', values: { ...placeAndMoment(asked, nextTraining), title } }
}

function placeAndMoment(asked: Asked, gathering: { startsAt: Date; place: string }): Values {
  const { i18n, language, row } = asked
  const place = fitValue(gathering.place, i18n.language(language), placeCharactersMax)
  return { ...momentValues(i18n, language, gathering.startsAt, row.timeZone), place }
}

async function answerSchedule(asked: Asked): Promise<Stated> {
  const { i18n, language, reads, memberId, row } = asked
  const open = (await readSchedule(reads, memberId)).filter(({ remaining }) => remaining.greaterThan(0))
  return listed(
    asked,
    open.map(
      ({ dueDate, remaining }) =>
        `${i18n.shortDate(language, dueDate)}: ${i18n.amount(language, remaining, row.currencyCode)}`,
    ),
  )
}

async function answerMovements(asked: Asked): Promise<Stated> {
  const { i18n, language, reads, memberId, row } = asked
  const movements = await readMovements(reads, memberId, movementsMax)
  return listed(
    asked,
    movements.map(({ bookedDate, kind, amount, reversed }) => {
      const word = i18n.text(language, 'sms', `part.movement.${reversed ? 'reversal' : kind}`)
      // As on the screen: the word says which way it went; only a correction needs a sign.
      const shown = kind === 'adjustment' ? amount : amount.abs()
      return `${i18n.shortDate(language, bookedDate)} ${word} ${i18n.amount(language, shown, row.currencyCode)}`
    }),
  )
}

/** As many lines as there is room for; the rest is a dial away. */
function listed({ i18n, language }: Asked, lines: readonly string[]): Stated {
  if (lines.length === 0) return none
  const rules = i18n.language(language).gsm7
  const taken: string[] = []
  for (const line of lines) {
    const longer = spell([...taken, line].join(', '), rules)
    if (measureSms(longer).units > listUnitsMax && taken.length > 0) break
    taken.push(line)
  }
  return { variant: 'full', values: { lines: taken.join(', ') } }
}
