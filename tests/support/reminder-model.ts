// What the members of a small programme may be reminded of and when, kept in plain words beside the real one. It shares no rule with
// src, only the calendar. What it calls required must be sent now; what it does not call possible must not.
import { addDays, type CalendarDate, instantAt, localParts } from '../../src/calendar.ts'

export interface ModelProgramme {
  id: string
  timeZone: string
  dailyCap: number
  weeklyCap: number
}

export interface ModelMember {
  id: string
  msisdn: string
  groupId: string
  programme: ModelProgramme
  /** Hers inside the programme's, minutes of the local day. */
  from: number
  until: number
  isActive: boolean
  isStopped: boolean
  allows: { receipt: boolean; reminder: boolean; meeting: boolean }
  /** When planned messages were sent to her, as the sender's clock read. */
  told: Date[]
  /** Entries that nobody has told of yet; and since when receipts wait for her hours. */
  receipts: { unheard: number; waiting: Date[] }
}

export interface ModelInstalment {
  id: string
  number: number
  due: CalendarDate
  amount: number
}

export interface ModelLoan {
  number: string
  member: ModelMember
  instalments: ModelInstalment[]
  paid: number
  /** When something was posted on it. */
  postedAt: Date[]
}

export interface ModelGathering {
  id: string
  kind: 'meeting' | 'training'
  groupId: string
  programme: ModelProgramme
  startsAt: Date
  isOn: boolean
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** One thing that she may be told once: this instalment on this day, this gathering at this hour. */
interface Fact {
  key: string
  isTrue: boolean
  isInWindow(at: Date): boolean
  /** A follow-up is not written within a day of a posting; once written it stands. */
  isPlannable(at: Date): boolean
}

interface Tracked {
  /** Since when a planner with the right clock has had reason to write it. */
  since: Date | undefined
  /** It was untrue for a while since a planner may have written it: it may have been taken back for good. */
  isBroken: boolean
  isSent: boolean
}

export interface ReminderModel {
  members: ModelMember[]
  loans: ModelLoan[]
  gatherings: ModelGathering[]
  /** To be called after every change that is about her. */
  changed(member: ModelMember): void
  /** Planners with these clocks have run; the first of them reads `now`. */
  planned(now: Date, clocks: readonly Date[]): void
  /** Takes down what was sent at `now` to a member and gives what is wrong with it; `mayWait` when nothing has to be sent now. */
  sent(member: ModelMember, keys: readonly string[], now: Date, mayWait: boolean): string[]
  /** Reminders that were held back by a cap though all else spoke for them. */
  capped(): number
}

/** What is still open of each instalment when payments go to the earliest first. */
export function openInstalments(loan: ModelLoan): ModelInstalment[] {
  const inOrder = [...loan.instalments].sort((a, b) => a.due.localeCompare(b.due) || a.number - b.number)
  let left = loan.paid
  return inOrder.filter((instalment) => {
    left -= instalment.amount
    return left < 0
  })
}

export function localDay(at: Date, programme: ModelProgramme): CalendarDate {
  return localParts(at, programme.timeZone).date
}

export function isInHours(member: ModelMember, at: Date): boolean {
  const { minuteOfDay } = localParts(at, member.programme.timeZone)
  return minuteOfDay >= member.from && minuteOfDay < member.until
}

export const instalmentKey = (kind: string, id: string, due: string) => `${kind}/${id}/${due}`
export const gatheringKey = (kind: string, id: string, startsAt: Date, memberId: string) =>
  `${kind}/${id}/${startsAt.toISOString()}/${memberId}`

/** `skewMs`: how far a planner's clock may be off. */
export function createReminderModel(skewMs: number): ReminderModel {
  const members: ModelMember[] = []
  const loans: ModelLoan[] = []
  const gatherings: ModelGathering[] = []
  const tracked = new Map<string, Tracked>()
  let capped = 0

  function* instalmentFacts(loan: ModelLoan): Generator<Fact> {
    const { member, postedAt } = loan
    const open = new Set(openInstalments(loan))
    const day = (at: Date) => localDay(at, member.programme)
    for (const instalment of loan.instalments) {
      const { id, due } = instalment
      const isTrue = open.has(instalment) && member.isActive && !member.isStopped && member.allows.reminder
      yield {
        key: instalmentKey('due_soon', id, due),
        isTrue,
        isInWindow: (at) => day(at) >= addDays(due, -3) && day(at) <= due,
        isPlannable: () => true,
      }
      yield {
        key: instalmentKey('due_missed', id, due),
        isTrue,
        isInWindow: (at) => day(at) > due && day(at) <= addDays(due, 2),
        isPlannable: (at) =>
          !postedAt.some((posted) => posted <= at && posted.getTime() > at.getTime() - dayMs),
      }
    }
  }

  function gatheringFact({ id, kind, programme, startsAt, isOn }: ModelGathering, member: ModelMember): Fact {
    const opening = addDays(localDay(startsAt, programme), -1)
    return {
      key: gatheringKey(kind, id, startsAt, member.id),
      isTrue: isOn && member.isActive && !member.isStopped && member.allows.meeting,
      isInWindow: (at) => at < startsAt && localDay(at, programme) >= opening,
      isPlannable: () => true,
    }
  }

  function* factsOf(member: ModelMember): Generator<Fact> {
    for (const loan of loans) if (loan.member === member) yield* instalmentFacts(loan)
    for (const gathering of gatherings)
      if (gathering.groupId === member.groupId) yield gatheringFact(gathering, member)
  }

  function* facts(): Generator<Fact> {
    for (const member of members) yield* factsOf(member)
  }

  /** Places that the caps leave her; what was told at a later reading counts too. */
  function placesLeft({ told, programme }: ModelMember, now: Date): number {
    const today = localDay(now, programme)
    const since = (day: CalendarDate) => instantAt(day, 0, programme.timeZone)
    const count = (from: Date) => told.filter((at) => at >= from).length
    return Math.min(
      programme.dailyCap - count(since(today)),
      programme.weeklyCap - count(since(addDays(today, -6))),
    )
  }

  function whyNot(key: string): string {
    const known = tracked.get(key)
    if (known === undefined) return 'though nobody had reason to write it'
    return known.isSent ? 'twice' : 'untrue, too early or too late'
  }

  return {
    members,
    loans,
    gatherings,
    capped: () => capped,
    changed(member) {
      for (const { key, isTrue } of factsOf(member)) {
        const known = tracked.get(key)
        if (known !== undefined && !isTrue) known.isBroken = true
      }
    },
    planned(now, clocks) {
      for (const fact of facts()) {
        const isPlanned = (at: Date) => fact.isTrue && fact.isInWindow(at) && fact.isPlannable(at)
        if (!clocks.some(isPlanned)) continue
        const known = tracked.get(fact.key) ?? { since: undefined, isBroken: false, isSent: false }
        if (isPlanned(now)) known.since ??= now
        tracked.set(fact.key, known)
      }
    },
    sent(member, keys, now, mayWait) {
      const faults: string[] = []
      const possible = new Set<string>()
      let required = 0
      for (const fact of factsOf(member)) {
        if (!fact.isTrue || !fact.isInWindow(now)) continue
        const known = tracked.get(fact.key)
        if (known === undefined || known.isSent) continue
        possible.add(fact.key)
        const isRipe = known.since !== undefined && now.getTime() - known.since.getTime() >= skewMs
        if (isRipe && !known.isBroken) required += 1
      }
      const places = placesLeft(member, now)
      if (keys.length > 0 && !isInHours(member, now)) faults.push('outside her hours')
      if (keys.length > places) faults.push(`${keys.length} sent where the caps leave ${places}`)
      for (const key of keys) if (!possible.has(key)) faults.push(`${key} sent ${whyNot(key)}`)
      const least = !mayWait && isInHours(member, now) ? Math.min(required, places) : 0
      if (keys.length < least) faults.push(`${keys.length} sent where ${least} should be`)
      if (!mayWait && isInHours(member, now)) capped += Math.max(0, required - Math.max(places, 0))
      for (const key of keys) {
        const known = tracked.get(key)
        if (known !== undefined) known.isSent = true
        member.told.push(now)
      }
      return faults
    },
  }
}
