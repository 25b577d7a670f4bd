// In: a notice. Out: how it will look on phones in each language, what each costs, whom it reaches and whom it does not and why.
// Renders with the sender's own code. Must never write.
import { Decimal } from 'decimal.js'
import type { Queryable } from '../db.ts'
import { estimateSms } from '../encoding.ts'
import type { I18n } from '../i18n.ts'
import { renderNotice, writtenFor } from '../outbound/notice-text.ts'
import { audienceValues, type Exclusion, judgedSql } from './audience.ts'
import { messageTemplate, type Notice, readNotice } from './record.ts'

export interface LanguagePreview {
  /** The tag that the text is spelt in. */
  language: string
  /** A template has a discreet form, and one that says everything for members who chose it and have a phone of their own. */
  form: 'discreet' | 'full' | 'written'
  text: string
  encoding: 'gsm7' | 'ucs2'
  /** Septets or characters. */
  units: number
  segments: number
  /** Letters outside GSM-7, each once. */
  costly: string[]
  segmentsWithoutCostly: number
  recipients: number
  /** SMS for them: one a phone. */
  messages: number
  /** Exact decimal as text, in the currency of the whole; null without a price. */
  cost: string | null
}

export interface NoticePreview {
  /** Whom it is meant to reach. */
  recipients: number
  messages: number
  /** Members of the audience to whom nothing is sent, by reason. */
  excluded: Partial<Record<Exclusion, number>>
  languages: LanguagePreview[]
  cost: { amount: string; currency: string } | null
  /** More than the programme lets one person send alone. */
  needsApproval: boolean
}

interface Reading {
  language: string
  full: boolean
  excluded: Exclusion | null
  members: number
  phones: number
}

// A full text is for a phone that nobody else uses. Members of one phone with the same words share a message.
const readingsSql = `
  select language, full_form as full, excluded, count(*)::int as members, count(distinct (phone_id, words))::int as phones
    from (select judged.*, judged.sms_form = 'full' and judged.excluded is null and not exists (
                   select 1 from member_phones s
                    where s.phone_id = judged.phone_id and s.member_id <> judged.member_id) as full_form
            from (${judgedSql}) judged) read
   group by 1, 2, 3 order by 1, 2, 3`

/** Undefined when there is no such notice. */
export async function previewNotice(
  tx: Queryable,
  i18n: I18n,
  noticeId: string,
  _now: Date,
): Promise<NoticePreview | undefined> {
  const notice = await readNotice(tx, noticeId)
  if (notice === undefined) return undefined
  const values = await audienceValues(tx, notice, { strict: false })
  const { rows } = await tx.query<Reading>(readingsSql, values)
  const reached = rows.filter(({ excluded }) => excluded === null)
  const languages = mergeSame(reached.flatMap((reading) => previewOf(notice, i18n, reading) ?? []))
  const excluded: NoticePreview['excluded'] = {}
  for (const { excluded: reason, members } of rows)
    if (reason !== null) excluded[reason] = (excluded[reason] ?? 0) + members
  const recipients = languages.reduce((sum, one) => sum + one.recipients, 0)
  const amount = languages.reduce((sum, { cost }) => sum.plus(cost ?? 0), new Decimal(0))
  return {
    recipients,
    messages: languages.reduce((sum, one) => sum + one.messages, 0),
    excluded,
    languages,
    cost:
      notice.price === null || notice.currency === null
        ? null
        : { amount: amount.toFixed(), currency: notice.currency },
    needsApproval: recipients > notice.approvalAbove,
  }
}

function previewOf(notice: Notice, i18n: I18n, reading: Reading): LanguagePreview | undefined {
  const { template, fields, texts, languages, senderId, serviceCode, segmentsMax, price } = notice
  const language =
    template === null ? writtenFor(texts, reading.language, languages)?.language : reading.language
  if (language === undefined || !i18n.languages.has(language)) return undefined
  const full = reading.full && (i18n.language(language).gsm7 !== null || segmentsMax > 1)
  const text = renderNotice(
    { template: messageTemplate(notice), fields, texts },
    { i18n, language, sender: senderId, code: `${serviceCode}#`, full },
  )
  if (text === undefined) return undefined
  const { over: _, ...estimate } = estimateSms(text)
  const cost =
    price === null ? null : new Decimal(price).times(estimate.segments).times(reading.phones).toFixed()
  const form = template === null ? 'written' : full ? 'full' : 'discreet'
  return { language, form, text, ...estimate, recipients: reading.members, messages: reading.phones, cost }
}

/** Its words in the languages of these readers (null: who has said none), in the discreet form: a facilitator reads them to all. */
export function noticeWords(
  notice: Notice,
  i18n: I18n,
  readers: readonly (string | null)[],
): Pick<LanguagePreview, 'language' | 'text'>[] {
  const [first = ''] = notice.languages
  const readings = readers.map((language) => ({
    language: language ?? first,
    full: false,
    excluded: null,
    members: 0,
    phones: 0,
  }))
  return mergeSame(readings.flatMap((reading) => previewOf(notice, i18n, reading) ?? []))
}

/** Readings that come to the same text: a template without forms, or a language that stands in for another. */
function mergeSame(previews: readonly LanguagePreview[]): LanguagePreview[] {
  const merged = new Map<string, LanguagePreview>()
  for (const preview of previews) {
    const key = `${preview.language}\n${preview.text}`
    const there = merged.get(key)
    if (there === undefined) merged.set(key, { ...preview })
    else {
      there.recipients += preview.recipients
      there.messages += preview.messages
      if (there.cost !== null) there.cost = new Decimal(there.cost).plus(preview.cost ?? 0).toFixed()
      if (there.form !== preview.form) there.form = 'discreet'
    }
  }
  return [...merged.values()]
}
