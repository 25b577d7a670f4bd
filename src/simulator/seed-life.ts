// In: a made-up programme as it stands. Out: what happened in it lately, through the code that does it in a real one: notices with mixed
// results, requests of every kind, screens at which dialogues stopped. Must never leave anything of the past still to be sent.
import { addDays, instantAt, localParts } from '../calendar.ts'
import { appointCase } from '../cases/appointment.ts'
import { type CaseAct, caseKinds, closeCase, openCase, takeCase } from '../cases/cases.ts'
import type { Db } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { Logger } from '../logger.ts'
import { createMetrics } from '../metrics.ts'
import { draftNotice, type NoticeDraft, sendNotice, undoNotice } from '../notices/notices.ts'
import { createNoticePlanner } from '../notices/planner.ts'
import { markTold, unreachedOf } from '../notices/progress.ts'
import { createDecider, type Decision } from '../outbound/decision.ts'
import { recordDeliveryReport } from '../outbound/delivery-report.ts'
import { applyTransitions } from '../outbound/transitions.ts'
import { createPathCounter } from '../ussd/paths.ts'
import { newDialogue, type Session } from '../ussd/session.ts'
import type { Profile } from './profile.ts'
import { createRandom, type Random } from './random.ts'

export interface LifeOptions {
  db: Db
  i18n: I18n
  logger: Logger
  programmeId: string
  profile: Profile
  seed: number
  now: Date
}

interface Life extends LifeOptions {
  random: Random
  staffId(role: string): string
  /** Of the first facilitator, by code. */
  groupIds: string[]
  /** Of her second group, or of the only one; none of the demo's own people where there are others. */
  memberIds: string[]
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** The same seed and day make the same. */
export async function seedLife(options: LifeOptions): Promise<void> {
  const life = await readLife(options)
  await sendOne(life)
  await writeOthers(life)
  await askForThings(life)
  await dialAround(life)
}

async function readLife(options: LifeOptions): Promise<Life> {
  const { db, programmeId, profile, seed } = options
  const { rows: staff } = await db.pool.query<{ id: string; role: string; msisdn: string }>(
    'select id, role, msisdn from staff where programme_id = $1 order by msisdn = $2 desc, msisdn',
    [programmeId, profile.demo.facilitator],
  )
  const staffId = (role: string) => {
    const one = staff.find((person) => person.role === role)
    if (one === undefined) throw new InvariantError(`a demo without its ${role}`)
    return one.id
  }
  const { rows: groups } = await db.pool.query<{ id: string }>(
    'select id from groups where programme_id = $1 and facilitator_id = $2 order by code',
    [programmeId, staffId('facilitator')],
  )
  const groupIds = groups.map(({ id }) => id)
  const { rows: members } = await db.pool.query<{ id: string }>(
    `select id from members where group_id = $1 and status = 'active' order by number`,
    [groupIds[1] ?? groupIds[0]],
  )
  const memberIds = members.map(({ id }) => id)
  return { ...options, random: createRandom(seed), staffId, groupIds, memberIds }
}

/** Groups beside the one of the demo's own people, whose phones tell their own story. */
const othersOf = ({ groupIds }: Life) => (groupIds.length > 1 ? groupIds.slice(1, 4) : groupIds)

async function draft(
  life: Life,
  ask: Pick<NoticeDraft, 'audience' | 'dedupeKey' | 'now'> & Partial<NoticeDraft>,
) {
  const { db, i18n, programmeId, staffId } = life
  const author = { staffId: staffId('facilitator') }
  const common = { programmeId, author, channel: 'console', purpose: 'service' } as const
  const drafted = await db.transaction((tx) => draftNotice(tx, i18n, { ...common, ...ask }))
  if ('faults' in drafted)
    throw new InvariantError(`a demo notice is wrong: ${drafted.faults.map(({ code }) => code).join(', ')}`)
  return { id: drafted.id, author }
}

/** Yesterday a meeting moved: most heard of it, some did not, and the facilitator told one of them at her door. */
async function sendOne(life: Life): Promise<void> {
  const { db, logger, profile, now } = life
  const { timeZone } = profile.programme
  const today = localParts(now, timeZone).date
  const at = instantAt(addDays(today, -1), 10 * 60, timeZone)
  const fields = { day: addDays(today, 2), time: '16:30', place: profile.places[0] ?? '' }
  const groupIds = othersOf(life)
  const { id, author } = await draft(life, {
    purpose: 'meeting',
    template: 'meeting_moved',
    fields,
    audience: { groupIds },
    dedupeKey: 'demo/moved',
    now: at,
  })
  await db.transaction((tx) => sendNotice(tx, id, author, at))
  const planner = createNoticePlanner({ db, clock: { now: () => now }, logger, metrics: createMetrics() })
  const leftAt = new Date(at.getTime() + 2 * minuteMs)
  await planner.planOnce(leftAt)
  await deliver(life, id, leftAt)
  await planner.planOnce(new Date(leftAt.getTime() + 30 * minuteMs))
  const [person] = await unreachedOf(db.pool, id, groupIds[0] ?? '')
  const told = {
    noticeId: id,
    by: `staff:${author.staffId}`,
    now: new Date(leftAt.getTime() + 120 * minuteMs),
  }
  if (person !== undefined) await db.transaction((tx) => markTold(tx, { ...told, memberId: person.memberId }))
}

type Sending = Extract<Decision, { action: 'send' }>

/** As sender and network would have had it. */
async function deliver(life: Life, noticeId: string, at: Date): Promise<void> {
  const { db, i18n, random, programmeId } = life
  const { rows } = await db.pool.query<{ id: string }>(
    'select id from messages where notice_id = $1 order by dedupe_key, id',
    [noticeId],
  )
  const ids = rows.map(({ id }) => id)
  const decisions = await createDecider({ db, i18n })(ids, at)
  const sent = decisions.filter((one): one is Sending => one.action === 'send')
  const move = (to: 'queued' | 'claimed', source: 'relay' | 'sender') =>
    applyTransitions(
      db.pool,
      at,
      ids.map((messageId) => ({ messageId, to, source })),
    )
  await move('queued', 'relay')
  await move('claimed', 'sender')
  const ends = { suppress: 'suppressed', cancel: 'cancelled', expire: 'expired', fail: 'failed' } as const
  await applyTransitions(
    db.pool,
    at,
    decisions.flatMap((one) =>
      one.action === 'send' || one.action === 'defer'
        ? []
        : [{ messageId: one.messageId, to: ends[one.action], source: 'sender' as const, reason: one.reason }],
    ),
  )
  await applyTransitions(
    db.pool,
    at,
    sent.map(({ messageId, phoneId, language, text, segments, factsAt, factsSnapshot }) => ({
      messageId,
      to: 'submitting' as const,
      source: 'sender' as const,
      set: { phoneId, language, text, segments, factsAt, factsSnapshot },
    })),
  )
  await applyTransitions(
    db.pool,
    at,
    sent.map(({ messageId, segments }) => ({
      messageId,
      to: 'submitted' as const,
      source: 'sender' as const,
      set: {
        provider: 'africastalking',
        providerMessageId: `demo-${messageId}`,
        billedSegments: segments,
      },
    })),
  )
  // In an order that every run has, for the chances that are drawn.
  sent.sort((one, other) => (one.msisdn < other.msisdn ? -1 : 1))
  for (const { messageId, msisdn } of sent) {
    const later = new Date(at.getTime() + random.between(5, 900) * 1_000)
    // One network had a bad day.
    const isBad = networkOf(msisdn) === networks[1]
    const word = isBad && random.chance(0.6) ? 'Failed' : random.chance(0.04) ? 'AbsentSubscriber' : 'Success'
    const reasons: Readonly<Record<string, string>> = {
      Failed: 'DeliveryFailure',
      AbsentSubscriber: 'UserIsInactive',
    }
    await recordDeliveryReport(
      db,
      { now: () => later },
      {
        provider: 'africastalking',
        providerMessageId: `demo-${messageId}`,
        status: word,
        failureReason: reasons[word],
        networkCode: networkOf(msisdn),
        msisdn,
        programmeId,
      },
    )
  }
}

/** Test networks: whose a real number is would be a guess. */
const networks = ['99901', '99902', '99903'] as const
const networkOf = (msisdn: string) => networks[Number(msisdn.slice(-1)) % networks.length] ?? networks[0]

/** A draft, and a notice to so many that it waits for a second person; where the demo is too small for that, it is taken back. */
async function writeOthers(life: Life): Promise<void> {
  const { db, groupIds, now, profile } = life
  await draft(life, {
    template: 'bring_booklet',
    audience: { groupIds: groupIds.slice(0, 1) },
    dedupeKey: 'demo',
    now,
  })
  const today = localParts(now, profile.programme.timeZone).date
  const { id, author } = await draft(life, {
    purpose: 'meeting',
    template: 'meeting_cancelled',
    fields: { day: addDays(today, 9) },
    audience: { groupIds },
    dedupeKey: 'demo/waiting',
    now,
  })
  const { outcome } = await db.transaction((tx) => sendNotice(tx, id, author, now))
  if (outcome === 'approved') await db.transaction((tx) => undoNotice(tx, id, `staff:${author.staffId}`, now))
}

/** One request of every kind, days old: one overdue, one in hand, one with a day and an hour, one closed. */
async function askForThings(life: Life): Promise<void> {
  const { db, programmeId, memberIds, staffId, now, profile } = life
  const daysAgo = { call_back: 1, dispute: 6, lost_phone: 1, pin_reset: 1, social_worker: 1, adviser: 2 }
  const asked: Record<string, string> = {}
  for (const [index, kind] of [...caseKinds, 'call_back' as const].entries()) {
    const at = new Date(now.getTime() - daysAgo[kind] * dayMs - index * 37 * minuteMs)
    const memberId = memberIds[(index + 2) % memberIds.length] ?? ''
    const ask = { programmeId, memberId, kind, hopKey: `demo-${programmeId}-${index}`, now: at }
    const { reference } = await db.transaction((tx) => openCase(tx, ask))
    asked[index === caseKinds.length ? 'answered' : kind] = reference
  }
  const act = (role: CaseAct['role'] & string, reference = '', minutes = 0) => {
    const by = `staff:${staffId(role)}`
    const at = new Date(now.getTime() - minutes * minuteMs)
    return { programmeId, role, staffId: staffId(role), reference, by, now: at }
  }
  const { timeZone } = profile.programme
  const appointment = instantAt(addDays(localParts(now, timeZone).date, 2), 9 * 60 + 30, timeZone)
  await db.transaction(async (tx) => {
    await takeCase(tx, act('facilitator', asked.pin_reset, 90))
    // Just now: an SMS tells her, and one that had waited for an hour would be an alarm.
    await appointCase(tx, { ...act('adviser', asked.adviser), at: appointment })
    await takeCase(tx, act('facilitator', asked.answered, 200))
    await closeCase(tx, { ...act('facilitator', asked.answered, 180), outcome: 'answered' })
  })
}

/** Screens on the way, and how many of a hundred dialogues go so far. */
const ways: readonly (readonly [share: number, screens: readonly string[]])[] = [
  [34, ['home', 'pin', 'account']],
  [18, ['home', 'pin', 'account', 'loan']],
  [14, ['home', 'pin']],
  [12, ['home', 'meeting']],
  [9, ['home']],
  [7, ['home', 'training']],
  [6, ['home', 'ask']],
]

const opening: Session = {
  menuVersion: 0,
  phoneId: '',
  dialogue: newDialogue,
  ended: false,
  seenLength: 0,
  seenHash: '',
  beganAtMs: 0,
  lastAtMs: 0,
}

/** A week of dialogues, by screens. */
async function dialAround({ db, logger, programmeId, profile, now, random }: Life): Promise<void> {
  const counter = createPathCounter({ db, logger })
  const today = localParts(now, profile.programme.timeZone).date
  const step = { programmeId, ownMenu: 'member' }
  for (let back = 6; back >= 0; back -= 1)
    for (const [share, screens] of ways) {
      const day = addDays(today, -back)
      for (let dialogue = random.between(share, share * 2); dialogue > 0; dialogue -= 1) {
        let before: Session | undefined
        for (const [at, state] of screens.entries()) {
          const after = { ...opening, dialogue: { ...opening.dialogue, state }, seen: String(at) }
          counter.note({ ...step, day, before, after })
          before = after
        }
      }
    }
  await counter.flush()
}
