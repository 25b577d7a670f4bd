// In: a decided message and what is true of it now. Out: its text in GSM-7 spelling, or undefined for an unknown template.
// A discreet text states no amount, debt word, name or group: it says what to dial. Never uses Intl: it would triple the price.
import { Decimal } from 'decimal.js'
import { segmentsMaxOf } from '../countries.ts'
import { spell } from '../encoding.ts'
import { type I18n, type LanguageInfo, offeredAs, type Values } from '../i18n.ts'
import { answerOf } from './answers.ts'
import type { DecisionRow } from './decision-query.ts'
import { renderNotice, writtenFor } from './notice-text.ts'
import { correctionTemplate } from './outbox.ts'
import { readPaidOut } from './paid-out.ts'
import {
  fitValue,
  momentValues,
  nameCharactersMax,
  placeCharactersMax,
  type Stated,
  type TextAsk,
  titleCharactersMax,
  titleIn,
} from './wording.ts'

/** A correction speaks as the message it corrects did; else her language, the phone's, the programme's, as the programme writes it. */
export function languageOf(row: DecisionRow, i18n: I18n): string {
  // What the programme does not offer was not proved for it; a correction alone keeps to the language of before.
  const corrected = offeredAs(row.correctsLanguage, row.languages) ?? row.correctsLanguage
  // A code goes to a member of staff, whose phone may also be a member's.
  const staffLanguage = row.purpose === 'code' ? row.params.language : undefined
  const wanted = [
    corrected,
    ...[staffLanguage, row.memberLanguage, row.phoneLanguage].map(
      (wish) => offeredAs(wish, row.languages) ?? null,
    ),
  ]
  const spoken = [...wanted, ...row.languages].find((tag) => tag !== null && i18n.languages.has(tag))
  if (typeof spoken !== 'string') throw new RangeError('No language of the programme is loaded')
  const { noticeTexts, languages } = row
  return noticeTexts === null ? spoken : (writtenFor(noticeTexts, spoken, languages)?.language ?? spoken)
}

/** Reads only what the text states; a full text whose facts are not there falls back to the discreet one. */
export async function renderText(ask: TextAsk): Promise<string | undefined> {
  const { row, language, i18n } = ask
  const info = i18n.language(language)
  const common = { sender: row.senderId, code: `${row.serviceCode}#` }
  const render = (key: string, values: Values) =>
    spell(i18n.text(language, 'sms', key, { ...common, ...values }), info.gsm7)

  if (row.noticeId !== null) {
    const words = { template: row.template, fields: row.noticeFields ?? {}, texts: row.noticeTexts ?? {} }
    return renderNotice(words, {
      i18n,
      language,
      ...common,
      full: speaksFully(row) && isFitForFull(row, info),
    })
  }
  if (i18n.has(language, 'sms', row.template)) return render(row.template, plainValues(row, info))
  if (!i18n.has(language, 'sms', `${row.template}.discreet`)) return undefined
  if (speaksFully(row) && isFitForFull(row, info)) {
    const stated = await statedOf(ask, info)
    if (stated !== undefined) return render(`${row.template}.${stated.variant}`, stated.values)
  }
  return render(`${row.template}.discreet`, { ...gatheringValues(ask), proof: proofOf(ask, 'part.proof') })
}

/** Full texts are her own choice; by SMS nobody has shown a PIN, so the phone must be hers alone. */
function speaksFully(row: DecisionRow): boolean {
  return row.smsForm === 'full' && row.phoneIsHersAlone === true && !row.inDoubt
}

/** Without GSM-7 a full text has several parts: where the networks do not join them she gets the discreet one. */
function isFitForFull({ smsSegmentsMax, country }: DecisionRow, { gsm7 }: LanguageInfo): boolean {
  return gsm7 !== null || (smsSegmentsMax ?? segmentsMaxOf(country)) > 1
}

/** A list of languages was noted in both spellings. */
function plainValues({ params, officePhone }: DecisionRow, { gsm7 }: LanguageInfo): Values {
  const { choicesGsm7, ...others } = params
  const listed = gsm7 === null || choicesGsm7 === undefined ? {} : { choices: choicesGsm7 }
  return { ...others, ...listed, office: officePhone ?? '' }
}

async function statedOf(ask: TextAsk, info: LanguageInfo): Promise<Stated | undefined> {
  const [family] = ask.row.template.split('.')
  if (family === 'reply' || family === 'answer') return answerOf(ask)
  if (family === 'reminder' || family === 'meeting' || family === 'training')
    return statedByReminder(ask, info)
  return statedByEntry(ask, info)
}

/** The code of a receipt, so that any phone can verify it; a discreet text does not say what it is. */
function proofOf({ row, language, i18n }: TextAsk, key: 'part.proof' | 'part.receipt'): string {
  const { receipt } = row.params
  return receipt === undefined ? '' : i18n.text(language, 'sms', key, { receipt })
}

async function statedByEntry(ask: TextAsk, info: LanguageInfo): Promise<Stated | undefined> {
  const { row, language, i18n } = ask
  const { entryAmount, entryBalance, entryDate, entryPurpose } = row
  if (entryAmount === null || entryBalance === null || entryDate === null || entryPurpose === null)
    return undefined
  const currency = row.entryCurrency ?? row.currencyCode
  const amount = (value: Decimal | string) => i18n.amount(language, new Decimal(value), currency)
  // A loan shows what is left to pay, never below zero; a savings account is a liability: its credit is her money.
  const left = new Decimal(entryBalance)
  const balance = amount(entryPurpose === 'loan' ? Decimal.max(0, left) : left.negated())
  const name = fitValue(row.firstName ?? '', info, nameCharactersMax)
  const proof = proofOf(ask, 'part.receipt')
  const values = { name, amount: amount(entryAmount), date: i18n.date(language, entryDate), balance, proof }
  if (row.template === 'loan.disbursed') {
    const paidOut = await readPaidOut(ask.reads, row.id)
    if (paidOut === undefined) return undefined
    const told = { name, amount: amount(paidOut.amount) }
    // Part of a loan meets no schedule yet: no due date is told with it.
    if (!paidOut.whole) return { variant: 'full_part', values: told }
    if (row.firstDueDate === null || row.firstDueAmount === null) return undefined
    const dueDate = i18n.date(language, row.firstDueDate)
    return { variant: 'full', values: { ...told, dueDate, due: amount(row.firstDueAmount) } }
  }
  if (row.template === correctionTemplate) {
    const parts = (of: string) =>
      i18n.text(language, 'sms', entryPurpose === 'loan' ? 'part.outstanding' : 'part.savings', {
        balance: of,
      })
    if (row.params.corrected !== 'loan.disbursed')
      return { variant: 'full', values: { ...values, parts: parts(balance) } }
    // She was told what she was handed; what the entry moved on the account holds interest and fees too.
    const told = await readPaidOut(ask.reads, row.id)
    if (told === undefined) return undefined
    const outstanding = amount(Decimal.max(0, told.balance))
    return { variant: 'full', values: { ...values, amount: amount(told.amount), parts: parts(outstanding) } }
  }
  const isPaid = row.template === 'receipt.loan_repayment' && left.lessThanOrEqualTo(0)
  return { variant: isPaid ? 'full_paid' : 'full', values }
}

function statedByReminder(ask: TextAsk, info: LanguageInfo): Stated | undefined {
  const { row, language, i18n } = ask
  const name = fitValue(row.firstName ?? '', info, nameCharactersMax)
  const signature = signatureOf(ask, info)
  if (row.template.startsWith('reminder.due_')) {
    if (row.dueDate === null || row.remaining === null) return undefined
    const amount = i18n.amount(language, new Decimal(row.remaining), row.loanCurrency ?? row.currencyCode)
    return { variant: 'full', values: { name, date: i18n.date(language, row.dueDate), amount, signature } }
  }
  const place = fitValue(row.meetingPlace ?? row.trainingPlace ?? '', info, placeCharactersMax)
  const title = fitValue(titleIn(row.trainingTitles, row, language), info, titleCharactersMax)
  return { variant: 'full', values: { ...gatheringValues(ask), name, place, title, signature } }
}

/** Evidence: the officer's name helps once the member knows the officer, so loans sign from the second on. */
function signatureOf({ row, language, i18n }: TextAsk, info: LanguageInfo): string {
  const knowsEachOther = row.loanCycle === null || row.loanCycle >= 2
  if (row.facilitator === null || !knowsEachOther) return ''
  const facilitator = fitValue(row.facilitator, info, nameCharactersMax)
  return i18n.text(language, 'sms', 'part.signature', { facilitator })
}

/** Day and time of the meeting, training or appointment, there where the programme is; of one that is off, as she was told it. */
function gatheringValues({ row, language, i18n }: TextAsk): Values {
  const wasAt = row.template === 'case.appointment_cancelled' ? new Date(row.params.startsAt ?? '') : null
  const startsAt = row.meetingStartsAt ?? row.trainingStartsAt ?? wasAt ?? row.appointmentAt
  return startsAt === null ? {} : momentValues(i18n, language, startsAt, row.timeZone)
}
