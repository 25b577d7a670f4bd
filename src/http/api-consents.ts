// In: what a member said about our messages, taken down by the back office or its staff. Out: what counts now, and every word so far.
// A repeated request is one effect: the time at which she spoke names her word, and what she said since stands.
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { namedReads, type Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { type ConsentPurpose, consentPurposes, readConsents, type Saying } from '../members/consent.ts'
import { findStaff } from '../members/staff.ts'
import { changeConsents, writtenHours } from '../outbound/consent-change.ts'
import { findMemberId } from './api-reads.ts'
import type { Answer } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { nextAnswer, type Page, pageQuery, readPage } from './paging.ts'

const timeOfDay = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time of the day like "10:00"')

export const consentsSchema = z
  .strictObject({
    consents: z
      .strictObject(
        Object.fromEntries(consentPurposes.map((purpose) => [purpose, z.boolean().optional()])) as Record<
          ConsentPurpose,
          z.ZodOptional<z.ZodBoolean>
        >,
      )
      .default({})
      .describe('Her yes or no by purpose; what is left out stays as it is'),
    stopped: z.boolean().optional().describe('true: stop all messages; false: start again'),
    hours: z
      .strictObject({ from: timeOfDay, until: timeOfDay })
      .refine(({ from, until }) => from < until, { path: ['until'], message: 'must be after from' })
      .nullable()
      .optional()
      .describe("Local hours in which SMS may reach her; null: the programme's"),
    wording: z
      .string()
      .regex(/^[\w.-]{1,40}$/, 'must be 1 to 40 letters, digits, "_", "." or "-"')
      .describe('Version of the words that she was asked in'),
    language: z
      .string()
      .regex(/^[a-z]{2,8}$/, 'must be a language code')
      .describe('That she was asked in'),
    collector: z
      .string()
      .regex(/^\+[1-9]\d{6,14}$/, 'must be a phone number in E.164 form')
      .optional()
      .describe('Phone of the staff member who asked her; the key itself when left out'),
    collectedAt: z.iso.datetime({ offset: true }).describe('When she said so; names her word'),
  })
  .refine(
    ({ consents, stopped, hours }) =>
      Object.keys(consents).length > 0 || stopped !== undefined || hours !== undefined,
    { path: ['consents'], message: 'give consents, stopped or hours' },
  )

const word = {
  purpose: z.string().describe('"all" is STOP or START'),
  granted: z.boolean(),
  channel: z.string(),
  wording: z.string(),
  language: z.string().nullable(),
  collector: z.string(),
  at: z.string(),
}

export const consentsAnswer = z.object({
  member: z.string(),
  stopped: z.boolean().describe('A STOP of the member or of her phone stands'),
  networkBlocked: z.boolean().describe('Her network refuses our messages; only she can undo that'),
  hours: z.object({ from: z.string(), until: z.string() }).nullable(),
  consents: z.record(z.enum(consentPurposes), z.boolean()).describe('True with a recorded yes'),
  history: z.array(z.object(word)),
})

const historyMax = 500

export const consentChangesQuery = z.strictObject(pageQuery)

export const consentChangeAnswer = z.object({
  change: z.string().describe('Names this word'),
  member: z.string().describe('Member number'),
  ...word,
})

export const consentChangesAnswer = z.object({
  changes: z.array(consentChangeAnswer),
  next: nextAnswer,
})

type ConsentChange = z.infer<typeof consentChangeAnswer>
type ConsentRow = Omit<ConsentChange, 'at'> & { at: Date }

const changeColumns = `c.id::text as change, m.number as member, c.purpose, c.granted, c.channel, c.wording, c.language, c.collector,
  c.collected_at as at`
const changeSource = 'from consents c join members m on m.id = c.member_id where m.programme_id = $1'
const changeBody = ({ at, ...row }: ConsentRow): ConsentChange => ({ ...row, at: at.toISOString() })

/** Every word of every member, in the order in which they were taken down. */
export async function consentChanges(
  tx: Queryable,
  caller: ApiCaller,
  page: Page,
): Promise<Answer<z.infer<typeof consentChangesAnswer>>> {
  const { rows, next } = await readPage<ConsentRow>(
    tx,
    { name: 'consents', columns: [['c.id', 'bigint']] },
    { select: changeColumns, from: changeSource, values: [caller.programmeId], page },
  )
  return { status: 200, body: { changes: rows.map(changeBody), next } }
}

export async function consentChange(
  tx: Queryable,
  caller: ApiCaller,
  change: string,
): Promise<Answer<ConsentChange>> {
  const { rows } = /^\d{1,18}$/.test(change)
    ? await tx.query<ConsentRow>(`select ${changeColumns} ${changeSource} and c.id = $2`, [
        caller.programmeId,
        change,
      ])
    : { rows: [] }
  if (rows[0] === undefined)
    throw new RequestError('route.unknown', { field: 'change', detail: 'there is no such word' })
  return { status: 200, body: changeBody(rows[0]) }
}

export async function consentsOf(
  tx: Queryable,
  caller: ApiCaller,
  number: string,
): Promise<Answer<z.infer<typeof consentsAnswer>>> {
  const memberId = await memberOf(tx, caller, number)
  return { status: 200, body: await bodyOf(tx, memberId, number) }
}

/** 201 when something of it is new, 200 when all of it was taken down before. */
export async function putConsents(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
  input: z.infer<typeof consentsSchema>,
): Promise<Answer<z.infer<typeof consentsAnswer>>> {
  const memberId = await memberOf(tx, caller, number)
  const now = clock.now()
  const saying = await sayingOf(tx, caller, input, now)
  const { consents, stopped, hours } = input
  const written = await changeConsents(tx, {
    programmeId: caller.programmeId,
    memberId,
    actor: actorOf(caller),
    saying,
    consents,
    stopped,
    hours: hours && { from: minuteOf(hours.from), until: minuteOf(hours.until) },
    now,
  })
  return { status: written > 0 ? 201 : 200, body: await bodyOf(tx, memberId, number) }
}

async function memberOf(db: Queryable, caller: ApiCaller, number: string): Promise<string> {
  const memberId = await findMemberId(db, caller, number)
  if (memberId === undefined)
    throw new RequestError('route.unknown', { field: 'number', detail: 'no member has this number' })
  return memberId
}

async function sayingOf(
  db: Queryable,
  caller: ApiCaller,
  { wording, language, collector, collectedAt }: z.infer<typeof consentsSchema>,
  now: Date,
): Promise<Saying> {
  const wrong = (field: string, detail: string) =>
    new RequestError('request.field_invalid', { field, detail })
  const at = new Date(collectedAt)
  if (at > now) throw wrong('collectedAt', 'has not come yet')
  const spoken = await db.query('select 1 from programmes where id = $1 and $2 = any(languages)', [
    caller.programmeId,
    language,
  ])
  if (spoken.rows.length === 0) throw wrong('language', 'is not offered by the programme')
  if (collector === undefined) return { channel: 'api', wording, language, collector: actorOf(caller), at }
  const staffId = (await findStaff(db, caller.programmeId, [collector])).get(collector)
  if (staffId === undefined) throw wrong('collector', 'is no active staff member of the programme')
  return { channel: 'staff', wording, language, collector: `staff:${staffId}`, at }
}

async function bodyOf(
  tx: Queryable,
  memberId: string,
  number: string,
): Promise<z.infer<typeof consentsAnswer>> {
  const { granted, stopped, networkBlocked, hours } = await readConsents(namedReads(tx), memberId)
  const { rows } = await tx.query<
    Omit<z.infer<typeof consentsAnswer>['history'][number], 'at'> & { at: Date }
  >(
    `select purpose, granted, channel, wording, language, collector, collected_at as at
       from consents where member_id = $1 order by collected_at desc, id desc limit $2`,
    [memberId, historyMax],
  )
  return {
    member: number,
    stopped,
    networkBlocked,
    hours: writtenHours(hours),
    consents: granted,
    history: rows.map((row) => ({ ...row, at: row.at.toISOString() })),
  }
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
}
