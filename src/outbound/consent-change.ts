// In: what a member said about our messages to staff or to another program. Out: her words, her stop and her hours as they are now, with
// before and after in the audit log. Must never leave a row in the log when nothing of it is new.
import { recordAudit } from '../audit.ts'
import { namedReads, type Queryable } from '../db.ts'
import {
  type ConsentPurpose,
  consentPurposes,
  readConsents,
  type Saying,
  type SmsHours,
  setSmsHours,
} from '../members/consent.ts'
import { setConsents, startMessages, stopMessages } from './opt-out.ts'

export interface ConsentChange {
  programmeId: string
  memberId: string
  /** Who hands it in, for the audit log. */
  actor: string
  saying: Saying
  /** What is left out stays as it is. */
  consents: { readonly [purpose in ConsentPurpose]?: boolean | undefined }
  stopped?: boolean | undefined
  /** Null: the programme's; left out: as they are. */
  hours?: SmsHours | null | undefined
  now: Date
}

/** How much of it is new; 0 when all of it was taken down before. */
export async function changeConsents(tx: Queryable, change: ConsentChange): Promise<number> {
  const { memberId, saying, consents, stopped, hours, now } = change
  const before = await readConsents(namedReads(tx), memberId)
  const words = consentPurposes.flatMap((purpose) => {
    const granted = consents[purpose]
    return granted === undefined ? [] : [{ ...saying, memberId, purpose, granted }]
  })
  let written = await setConsents(tx, words, now)
  if (stopped === true) written += await stopMessages(tx, { memberId }, saying, now)
  if (stopped === false) written += await startMessages(tx, { memberId }, saying)
  if (hours !== undefined && !isSame(before.hours, hours ?? undefined)) {
    await setSmsHours(tx, memberId, hours ?? undefined)
    written += 1
  }
  if (written === 0) return 0
  await recordAudit(tx, {
    at: now,
    programmeId: change.programmeId,
    actor: change.actor,
    action: 'consents.set',
    subject: `member:${memberId}`,
    before: {
      consents: Object.fromEntries(words.map(({ purpose }) => [purpose, before.granted[purpose]])),
      ...(stopped === undefined ? {} : { stopped: before.stopped }),
      ...(hours === undefined ? {} : { hours: writtenHours(before.hours) }),
    },
    after: {
      consents: Object.fromEntries(words.map(({ purpose, granted }) => [purpose, granted])),
      stopped,
      hours: hours === undefined ? undefined : writtenHours(hours ?? undefined),
      ...(saying.channel === 'staff' ? { collector: saying.collector } : {}),
    },
  })
  return written
}

const isSame = (one: SmsHours | undefined, other: SmsHours | undefined): boolean =>
  one?.from === other?.from && one?.until === other?.until

/** As they are written in a request and in the log. */
export function writtenHours(hours: SmsHours | undefined): { from: string; until: string } | null {
  return hours === undefined ? null : { from: timeOf(hours.from), until: timeOf(hours.until) }
}

function timeOf(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}
