// In: ids of messages a sender has claimed. Out: for each, send this text, or why not (now).
// Everything that was true when the row was written is asked again here. Must never change a row.
import { addDays, instantAt, localParts } from '../calendar.ts'
import type { Db } from '../db.ts'
import { measureSms } from '../encoding.ts'
import { errorCode } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import { noteSnapshot } from '../ledger/as-of.ts'
import { smsFault } from '../msisdn.ts'
import { type DecisionRow, plannedPurposes, readDecisionRows } from './decision-query.ts'
import { correctionTemplate } from './outbox.ts'
import { languageOf, renderText } from './texts.ts'
import { isChange, takesBack } from './told.ts'

/** What is to be done with one message. A reason is a stable word, never a text. */
export type Decision = { messageId: string } & (
  | {
      action: 'send'
      phoneId: string
      msisdn: string
      senderId: string
      language: string
      /** In its GSM-7 spelling. */
      text: string
      segments: number
      /** With the network's tail behind it, should this be the first message to the phone; undefined when it surely is not. */
      greetingSegments?: number
      /** When and under which snapshot the facts of the text were read. */
      factsAt: Date
      factsSnapshot: string
    }
  | { action: 'suppress' | 'cancel' | 'expire' | 'fail'; reason: string }
  | { action: 'defer'; notBefore: Date; reason: string }
)

/** What the facts allow, before any text is rendered. */
export type Verdict =
  | { action: 'send' }
  | { action: 'suppress' | 'cancel' | 'expire' | 'fail'; reason: string }
  | { action: 'defer'; notBefore: Date; reason: string }

/**
 * Whether a message may leave at `now`. `toldBefore` counts planned messages to the same member that stand earlier in the
 * batch and are about to leave.
 */
export function decide(row: DecisionRow, now: Date, toldBefore = 0): Verdict {
  if (row.expiresAt !== null && row.expiresAt <= now) return { action: 'expire', reason: 'expired' }
  if (row.firstDelivered === true) return { action: 'cancel', reason: 'told' }
  const untrue = whyUntrue(row)
  if (untrue !== undefined) return { action: 'cancel', reason: untrue }
  const needless = whyNeedless(row)
  if (needless !== undefined) return { action: 'cancel', reason: needless }
  // Replies and codes answer her own asking: no opt-out, hour or cap holds them back.
  const answers = row.purpose === 'reply' || row.purpose === 'code'
  // A stranger may hold the phone: only what answers this very phone leaves, and in discreet form.
  if (row.inDoubt && row.purpose !== 'reply') return { action: 'suppress', reason: 'reverify' }
  if (!answers) {
    const unwanted = whyUnwanted(row)
    if (unwanted !== undefined) return { action: 'suppress', reason: unwanted }
  }
  if (row.phoneId === null || row.msisdn === null) return { action: 'fail', reason: 'no_phone' }
  const fault = smsFault(row.msisdn, row.smsCountries)
  if (fault !== undefined) return { action: 'suppress', reason: fault }
  return answers ? { action: 'send' } : whenAllowed(row, now, toldBefore)
}

/** The fact that a message states may have changed since it was planned. */
export function whyUntrue(row: DecisionRow): string | undefined {
  if (row.noticeId !== null) return whyEnded(row.noticeStatus)
  if (row.template !== correctionTemplate && row.entryReversed === true) return 'reversed'
  if (row.template.startsWith('reminder.due_')) {
    if (row.dueDate === null || row.remaining === null) return 'gone'
    if (row.params.dueDate !== undefined && row.params.dueDate !== row.dueDate) return 'moved'
    if (/^0*(\.0*)?$/.test(row.remaining)) return 'paid'
  }
  if (row.template === 'reminder.meeting')
    return whyOff(row.meetingStatus, row.meetingStartsAt, row.params.startsAt)
  if (row.template === 'reminder.training')
    return whyOff(row.trainingStatus, row.trainingStartsAt, row.params.startsAt)
  if (row.template.startsWith('case.appointment')) return whyNoAppointment(row)
  if (isChange(row.template)) return whyOvertaken(row)
  return undefined
}

function whyNoAppointment({ template, caseStatus, appointmentAt, params }: DecisionRow): string | undefined {
  if (template === 'case.appointment_cancelled') return appointmentAt === null ? undefined : 'moved'
  if (caseStatus !== 'open' || appointmentAt === null) return 'called_off'
  return Date.parse(params.startsAt ?? '') === appointmentAt.getTime() ? undefined : 'moved'
}

/** A notice that was stopped, undone or refused has nothing more to say; one whose messages are all told still stands by them. */
function whyEnded(status: string | null): string | undefined {
  if (status === null) return 'gone'
  return status === 'sending' || status === 'done' ? undefined : 'stopped'
}

/** Each change has messages of its own: the last one speaks for all before it. */
function whyOvertaken(row: DecisionRow): string | undefined {
  const status = row.meetingStatus ?? row.trainingStatus
  if (status === null) return 'gone'
  if (row.params.change !== String(row.gatheringChanges)) return 'moved'
  const says = row.template.endsWith('.cancelled') ? 'cancelled' : 'planned'
  return status === says ? undefined : 'called_off'
}

/** She knows already what a true message would tell her, or nobody ever told her otherwise. */
function whyNeedless(row: DecisionRow): string | undefined {
  if (row.appointmentTold !== null) {
    const { appointmentAt, appointmentTold: told } = row
    const isSo = told === 'off' ? appointmentAt === null : appointmentAt?.getTime() === Date.parse(told)
    return isSo ? 'told' : undefined
  }
  if (isChange(row.template))
    return row.gatheringHolds === null ? 'untold' : row.gatheringHolds ? 'told' : undefined
  // A change that she was told at the time of the reminder was one.
  const startsAt = row.meetingStartsAt ?? row.trainingStartsAt
  if (row.gatheringHolds !== true || row.gatheringToldAt === null || startsAt === null) return undefined
  const eve = addDays(localParts(startsAt, row.timeZone).date, -1)
  return localParts(row.gatheringToldAt, row.timeZone).date >= eve ? 'told' : undefined
}

function whyOff(status: string | null, startsAt: Date | null, planned: string | undefined) {
  if (status === null || startsAt === null) return 'gone'
  if (status !== 'planned') return 'called_off'
  return planned !== undefined && Date.parse(planned) !== startsAt.getTime() ? 'moved' : undefined
}

function whyUnwanted(row: DecisionRow): string | undefined {
  if (row.memberStatus === 'left') return 'member_left'
  // A suspended member still gets the receipts of what she pays.
  if (row.memberStatus === 'suspended' && row.purpose !== 'receipt') return 'member_suspended'
  if (row.memberOptedOut || row.phoneOptedOut) return 'opted_out'
  if (row.networkBlocked) return 'network_block'
  // Only a recorded yes is consent.
  return row.consentGranted === true ? undefined : 'no_consent'
}

const minuteMs = 60_000

function whenAllowed(row: DecisionRow, now: Date, toldBefore: number): Verdict {
  const local = localParts(now, row.timeZone)
  // The hours that are safe for her, inside the programme's. Where the two no longer meet, no hour is safe.
  const from = Math.max(row.sendFromMinute, row.memberFromMinute ?? 0)
  const until = Math.min(row.sendUntilMinute, row.memberUntilMinute ?? 1_440)
  if (from >= until) return { action: 'suppress', reason: 'no_safe_hour' }
  const windowStart = (days: number) => instantAt(addDays(local.date, days), from, row.timeZone)
  if (local.minuteOfDay < from) {
    const opening = windowStart(0)
    // In the hour that comes twice when the clocks go back, the first opening is over and the second still ahead.
    const second = Math.floor(now.getTime() / minuteMs + from - local.minuteOfDay) * minuteMs
    const notBefore = opening > now ? opening : new Date(second)
    return { action: 'defer', notBefore, reason: 'quiet_hours' }
  }
  if (local.minuteOfDay >= until) return { action: 'defer', notBefore: windowStart(1), reason: 'quiet_hours' }
  // Like the correction of a receipt, what takes back our own word is not one message too many.
  const isCapped = plannedPurposes.has(row.purpose) && row.memberId !== null && !takesBack(row.template)
  const cap =
    row.toldToday + toldBefore >= row.dailyCap
      ? 'daily_cap'
      : row.toldThisWeek + toldBefore >= row.weeklyCap
        ? 'weekly_cap'
        : undefined
  if (isCapped && cap !== undefined) {
    const tomorrow = windowStart(1)
    return row.expiresAt !== null && row.expiresAt <= tomorrow
      ? { action: 'suppress', reason: cap }
      : { action: 'defer', notBefore: tomorrow, reason: cap }
  }
  return { action: 'send' }
}

/** It leaves, now or later. */
function isWaiting({ action }: Verdict): boolean {
  return action === 'send' || action === 'defer'
}

/** One query for the batch; only answers to a question that ask for full texts read the ledger once more each. */
export function createDecider(deps: { db: Db; i18n: I18n }) {
  const { db, i18n } = deps

  async function send(row: DecisionRow, now: Date): Promise<Decision> {
    const messageId = row.id
    if (row.phoneId === null || row.msisdn === null) return { messageId, action: 'fail', reason: 'no_phone' }
    try {
      const language = languageOf(row, i18n)
      let factsSnapshot = row.snapshot
      const reads = noteSnapshot(db.reads, (taken) => {
        factsSnapshot = taken
      })
      const text = await renderText({ row, language, i18n, reads, now })
      if (text === undefined)
        return { messageId, action: 'fail', reason: row.noticeId === null ? 'template_unknown' : 'no_text' }
      const { segments } = measureSms(text)
      const greeting =
        row.phoneIsNew === true
          ? { greetingSegments: measureSms(`${text}${row.optOutTail ?? ''}`).segments }
          : {}
      const { phoneId, msisdn, senderId } = row
      const facts = { factsAt: now, factsSnapshot }
      return {
        messageId,
        action: 'send',
        phoneId,
        msisdn,
        senderId,
        language,
        text,
        segments,
        ...greeting,
        ...facts,
      }
    } catch (error) {
      // One text that cannot be made must not hold up the batch; a database that is away must.
      if (error instanceof RangeError)
        return { messageId, action: 'fail', reason: `text.${errorCode(error)}` }
      throw error
    }
  }

  return async (messageIds: readonly string[], now: Date): Promise<Decision[]> => {
    const rows = await readDecisionRows(db.batchReads, messageIds, now)
    const leaving = new Map<string, number>()
    // Two of a batch about one meeting or appointment, such as its change and its new reminder, say the same.
    const told = new Set<string>()
    const decisions: Promise<Decision>[] = []
    for (const row of rows) {
      const memberKey = row.memberId ?? ''
      const toldBefore = leaving.get(memberKey) ?? 0
      const decided = decide(row, now, toldBefore)
      const gathering = plannedPurposes.has(row.purpose)
        ? (row.meetingId ?? row.trainingId ?? row.caseId)
        : null
      const tells = `${memberKey} ${gathering}`
      const verdict: Verdict =
        isWaiting(decided) && gathering !== null && told.has(tells)
          ? { action: 'cancel', reason: 'told' }
          : decided
      if (verdict.action !== 'send') {
        decisions.push(Promise.resolve({ messageId: row.id, ...verdict }))
        continue
      }
      if (gathering !== null) told.add(tells)
      if (plannedPurposes.has(row.purpose)) leaving.set(memberKey, toldBefore + 1)
      decisions.push(send(row, now))
    }
    return Promise.all(decisions)
  }
}

export type Decider = ReturnType<typeof createDecider>
