// In: a programme and a period. Out: the messages sent in it whose text the ledger does not bear out.
// Derives with the sender's own code, from the ledger as it was when each text was made. Must never hand out a text, a name or a number.

import type { Queryable } from '../db.ts'
import type { I18n } from '../i18n.ts'
import type { AsOf } from '../ledger/as-of.ts'
import { whyUntrue } from './decision.ts'
import { type DecisionRow, readDecisionRows } from './decision-query.ts'
import { renderText } from './texts.ts'

export interface Mismatch {
  messageId: string
  template: string
  /** What it states, for example "entry 0199...". */
  states: string
  /** "text" when another text follows from the ledger, else why nothing should have been said. */
  why: string
}

export interface Verification {
  /** Texts derived again. */
  checked: number
  /** Sent, but the text is no longer kept or its snapshot never was. */
  unchecked: number
  mismatches: Mismatch[]
}

interface Sent {
  id: string
  template: string
  language: string | null
  text: string | null
  factsAt: Date | null
  snapshot: string | null
  toldAt: Date
  memberId: string | null
  entryId: string | null
  correctsId: string | null
  instalmentId: string | null
  meetingId: string | null
  trainingSessionId: string | null
  noticeId: string | null
  caseId: string | null
}

type Kept = Sent & { language: string; text: string; factsAt: Date; snapshot: string }

// What the provider has or may have. Another try overwrites text and snapshot together.
const sentSql = `
  select id, template, language, text, facts_at as "factsAt", facts_snapshot::text as snapshot,
         coalesce(facts_at, submitted_at) as "toldAt", member_id as "memberId", entry_id as "entryId",
         corrects_id as "correctsId", instalment_id as "instalmentId", meeting_id as "meetingId",
         training_session_id as "trainingSessionId", notice_id as "noticeId", case_id as "caseId"
    from messages
   where programme_id = $1 and coalesce(facts_at, submitted_at) >= $2 and coalesce(facts_at, submitted_at) < $3
     and status in ('submitting', 'submitted', 'sent', 'delivered', 'undelivered', 'unknown')
     and (coalesce(facts_at, submitted_at), id) > ($4, $5)
   order by coalesce(facts_at, submitted_at), id limit $6`

const pageRows = 1_000

export interface VerifyAsk {
  db: { pool: Queryable }
  /** Reads as of a snapshot; used by nobody else meanwhile. */
  asOf: AsOf
  i18n: I18n
  programmeId: string
  from: Date
  /** Not included. */
  until: Date
}

export async function verifyMessages(ask: VerifyAsk): Promise<Verification> {
  const found: Verification = { checked: 0, unchecked: 0, mismatches: [] }
  let after: Pick<Sent, 'toldAt' | 'id'> = { toldAt: new Date(0), id: '00000000-0000-0000-0000-000000000000' }
  for (;;) {
    const { rows } = await ask.db.pool.query<Sent>(sentSql, [
      ask.programmeId,
      ask.from,
      ask.until,
      after.toldAt,
      after.id,
      pageRows,
    ])
    const kept = rows.filter(isKept)
    found.checked += kept.length
    found.unchecked += rows.length - kept.length
    for (const group of bySnapshot(kept)) found.mismatches.push(...(await verifyGroup(ask, group)))
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageRows) return found
    after = last
  }
}

function isKept(message: Sent): message is Kept {
  const { language, text, factsAt, snapshot } = message
  return language !== null && text !== null && factsAt !== null && snapshot !== null
}

/** Texts of one batch were mostly made under one snapshot, at one instant. */
function bySnapshot(messages: readonly Kept[]): Kept[][] {
  const groups = new Map<string, Kept[]>()
  for (const message of messages) {
    const key = `${message.snapshot} ${message.factsAt.getTime()}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [message])
    else group.push(message)
  }
  return [...groups.values()]
}

async function verifyGroup({ asOf, i18n }: VerifyAsk, group: readonly Kept[]): Promise<Mismatch[]> {
  const [first] = group
  if (first === undefined) return []
  await asOf.at(first.snapshot)
  const ids = group.map(({ id }) => id)
  const rows = await readDecisionRows(asOf.db.reads, ids, first.factsAt)
  const rowById = new Map(rows.map((row) => [row.id, row]))
  const mismatches: Mismatch[] = []
  for (const message of group) {
    const why = await whyWrong(message, rowById.get(message.id), { asOf, i18n })
    if (why === undefined) continue
    mismatches.push({ messageId: message.id, template: message.template, states: statesOf(message), why })
  }
  return mismatches
}

async function whyWrong(
  message: Kept,
  row: DecisionRow | undefined,
  { asOf, i18n }: Pick<VerifyAsk, 'asOf' | 'i18n'>,
): Promise<string | undefined> {
  if (row === undefined) return 'gone'
  if (!carries(message)) return 'states_nothing'
  const untrue = whyUntrue(row)
  if (untrue !== undefined) return untrue
  if (!i18n.languages.has(message.language)) return 'language_gone'
  for (const variant of variantsOf(row)) {
    const text = await renderText({
      row: variant,
      language: message.language,
      i18n,
      reads: asOf.db.reads,
      now: message.factsAt,
    })
    if (text !== undefined && bearsOut(text, message.text)) return undefined
  }
  return 'text'
}

/** What kind of fact a text states; the outbox row must name it. */
function carries(message: Sent): boolean {
  const [family, kind] = message.template.split('.')
  if (family === 'receipt' || family === 'loan') return message.entryId !== null && message.memberId !== null
  if (family === 'correction') return message.entryId !== null && message.correctsId !== null
  if (family === 'notice') return message.noticeId !== null && message.memberId !== null
  if (family === 'case') return message.caseId !== null && message.memberId !== null
  if (family === 'meeting') return message.meetingId !== null
  if (family === 'training') return message.trainingSessionId !== null
  if (family !== 'reminder') return true
  if (kind === 'meeting') return message.meetingId !== null
  return kind === 'training' ? message.trainingSessionId !== null : message.instalmentId !== null
}

function statesOf(message: Sent): string {
  if (message.entryId !== null) return `entry ${message.entryId}`
  if (message.instalmentId !== null) return `instalment ${message.instalmentId}`
  if (message.meetingId !== null) return `meeting ${message.meetingId}`
  if (message.trainingSessionId !== null) return `training ${message.trainingSessionId}`
  if (message.caseId !== null) return `case ${message.caseId}`
  if (message.noticeId !== null) return `notice ${message.noticeId}`
  return message.memberId === null ? 'nothing' : `position of member ${message.memberId}`
}

/** Stands for a name: in GSM-7, and in no text of ours. */
const nameMark = '¤'

/**
 * Whose name it bore, which form she had chosen and who signed may all have changed since: none of it is a lie. So every form is
 * tried, with a mark where names stand.
 */
function variantsOf(row: DecisionRow): DecisionRow[] {
  const named = { ...row, firstName: nameMark, facilitator: nameMark, phoneIsHersAlone: true }
  return [
    { ...named, smsForm: 'discreet' },
    { ...named, smsForm: 'full' },
    { ...named, smsForm: 'full', facilitator: null },
  ]
}

/** A name holds no figure, so no amount or date can hide in its place. */
function bearsOut(derived: string, stored: string): boolean {
  if (!derived.includes(nameMark)) return derived === stored
  const pattern = derived
    .split(nameMark)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^\\d\\n]{0,60}')
  return new RegExp(`^${pattern}$`, 'u').test(stored)
}
