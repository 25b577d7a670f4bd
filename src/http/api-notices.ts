// In: what a program asks of notices: write, preview, send, undo, stop, who was reached, who was told. Out: states in stable words.
// Must never approve: above the programme's limit a notice of a program waits for a person.
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import { audienceSchema, exclusions, noticePurposes } from '../notices/audience.ts'
import {
  type Audience,
  draftNotice,
  type NoticeFault,
  previewNotice,
  readNotice,
  sendNotice,
  stopNotice,
  undoNotice,
} from '../notices/notices.ts'
import {
  type ListedNotice,
  listNotices,
  markTold,
  noticeProgress,
  recipientStates,
  recipientsOf,
  type StateCounts,
} from '../notices/progress.ts'
import { noticeStatuses } from '../notices/record.ts'
import { findMemberId } from './api-reads.ts'
import { type Answer, reference } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { cutPage, type ListOrder, nextAnswer, pageQuery, placeOf } from './paging.ts'

const instant = z.iso.datetime({ offset: true })
const code = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[^\p{C}]*$/u, 'must be printable characters')
const text = z
  .string()
  .max(1_600)
  .regex(/^[^\p{Cs}\0]*$/u, 'must be whole characters')

export const noticeSchema = z.strictObject({
  reference,
  purpose: z.enum(noticePurposes).describe('What a member must have agreed to'),
  groups: z
    .array(code)
    .min(1)
    .max(1_000)
    .optional()
    .describe('Codes of groups; left out, like the other lists: all'),
  roles: audienceSchema.shape.roles,
  languages: z.array(code).min(1).max(50).optional(),
  places: z.array(code).min(1).max(200).optional(),
  template: z
    .string()
    .max(60)
    .optional()
    .describe('meeting_moved, meeting_cancelled, bring_booklet or training_topic, with its fields'),
  fields: z
    .record(z.string().max(30), text)
    .optional()
    .describe('day ("2026-12-02"), time ("09:30"), place, topic'),
  texts: z.record(z.string().max(40), text).optional().describe('By language, instead of a template'),
  sendAt: instant.optional().describe('Left out: as soon as it is sent'),
  expiresAt: instant.optional(),
  lane: z.enum(['planned', 'bulk']).optional(),
})

export const emptySchema = z.strictObject({})
export const toldSchema = z.strictObject({ member: code.describe('Member number') })

export const noticesQuery = z.strictObject(pageQuery)

export const recipientsQuery = z.strictObject({
  state: z.enum(recipientStates).optional(),
  group: code.optional().describe('Code of a group'),
  ...pageQuery,
})

const counts = z
  .object(
    Object.fromEntries(recipientStates.map((state) => [state, z.int()])) as Record<
      (typeof recipientStates)[number],
      z.ZodInt
    >,
  )
  .describe('Members by state; none before it begins to leave')

export const noticeAnswer = z.object({
  id: z.uuid(),
  status: z.enum(noticeStatuses),
  channel: z.enum(['ussd', 'sms', 'console', 'api']),
  purpose: z.enum(noticePurposes),
  template: z.string().nullable().describe('Null: somebody wrote its texts'),
  createdAt: z.string(),
  sendAt: z.string().nullable(),
  approvedAt: z.string().nullable().describe('A minute later it begins to leave, or at its time'),
  endedAt: z.string().nullable(),
  recipients: counts,
})

export const noticesAnswer = z.object({
  notices: z.array(noticeAnswer),
  next: nextAnswer,
})

export const noticeProgressAnswer = noticeAnswer.extend({
  total: z.int(),
  groups: z.array(z.object({ group: z.string().nullable(), recipients: counts })),
})

export const previewAnswer = z.object({
  recipients: z.int().describe('Members whom it is meant to reach'),
  messages: z.int().describe('SMS for them: one a phone where the words are the same'),
  excluded: z
    .partialRecord(z.enum(exclusions), z.int())
    .describe('Members of the audience to whom nothing is sent, by reason'),
  languages: z.array(
    z.object({
      language: z.string(),
      form: z.enum(['discreet', 'full', 'written']),
      text: z.string().describe('As a phone gets it'),
      encoding: z.enum(['gsm7', 'ucs2']),
      units: z.int().describe('Septets, or UTF-16 units'),
      segments: z.int(),
      costly: z.array(z.string()).describe('Letters outside GSM-7, each once'),
      segmentsWithoutCostly: z.int(),
      recipients: z.int(),
      messages: z.int(),
      cost: z.string().nullable().describe('Exact decimal as text; null: the programme has no price'),
    }),
  ),
  cost: z.object({ amount: z.string(), currency: z.string() }).nullable(),
  needsApproval: z.boolean().describe('More than the programme lets anybody send alone'),
})

export const sentAnswer = z.object({
  id: z.uuid(),
  outcome: z
    .enum(['approved', 'waiting'])
    .describe('approved: leaves after a minute in which it can be undone; waiting: for a person of staff'),
})
export const undoneAnswer = z.object({ id: z.uuid(), outcome: z.enum(['undone']) })
export const stoppedAnswer = z.object({
  id: z.uuid(),
  outcome: z.enum(['stopped']),
  cancelled: z.int().describe('Messages that were waiting and now never leave; 0 when it was stopped before'),
  left: z.int().describe('Messages that had left'),
})

export const recipientsAnswer = z.object({
  recipients: z.array(
    z.object({
      member: z.string().describe('Member number'),
      state: z.enum(recipientStates),
      reason: z.string().nullable(),
      toldAt: z.string().nullable(),
    }),
  ),
  next: nextAnswer,
})
export const toldAnswer = z.object({ member: z.string(), state: z.enum(['told']) })

const unknownNotice = () =>
  new RequestError('route.unknown', { field: 'id', detail: 'there is no such notice' })

const iso = (at: Date | null) => at?.toISOString() ?? null

/** As the fields of this API are called. */
function fieldHere(field: string): string {
  return field
    .replace(/^dedupeKey$/, 'reference')
    .replace(/^audience\.groupIds\.(\d+)$/, 'groups[$1]')
    .replace(/^audience(\.groupIds)?$/, 'groups')
    .replace(/^audience\./, '')
}

/** The first fault names the field; all of them stand in the sentence. */
function refused(faults: readonly NoticeFault[] = []): RequestError {
  const [first] = faults
  if (first === undefined || first.code === 'notice_unknown') return unknownNotice()
  const field = fieldHere(first.field)
  if (first.code === 'key_taken') return new RequestError('notice.reference_conflict', { field })
  if (first.code === 'too_late' || first.code.startsWith('already_'))
    return new RequestError('notice.too_late', { field, detail: first.detail })
  const detail = faults.map((one) => `${fieldHere(one.field)} ${one.code}: ${one.detail}`).join(' ')
  return new RequestError('notice.refused', { field, detail })
}

export async function writeNotice(
  { tx, clock, i18n }: { tx: Queryable; clock: Clock; i18n: I18n },
  caller: ApiCaller,
  asked: z.infer<typeof noticeSchema>,
): Promise<Answer<z.infer<typeof noticeAnswer>>> {
  const { programmeId } = caller
  const { reference: dedupeKey, groups, roles, languages, places, sendAt, expiresAt } = asked
  const { purpose, template, fields, texts, lane } = asked
  const audience: Audience = {
    ...(groups === undefined ? {} : { groupIds: await groupIdsOf(tx, programmeId, groups) }),
    ...(roles === undefined ? {} : { roles }),
    ...(languages === undefined ? {} : { languages }),
    ...(places === undefined ? {} : { places }),
  }
  const isNew =
    (
      await tx.query('select 1 from notices where programme_id = $1 and dedupe_key = $2', [
        programmeId,
        `api/${dedupeKey}`,
      ])
    ).rowCount === 0
  const made = await draftNotice(tx, i18n, {
    programmeId,
    author: { api: caller.keyName },
    channel: 'api',
    purpose,
    audience,
    ...(template === undefined ? {} : { template }),
    ...(fields === undefined ? {} : { fields }),
    ...(texts === undefined ? {} : { texts }),
    ...(sendAt === undefined ? {} : { sendAt: new Date(sendAt) }),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
    ...(lane === undefined ? {} : { lane }),
    dedupeKey: `api/${dedupeKey}`,
    now: clock.now(),
  })
  if ('faults' in made) throw refused(made.faults)
  const { total: _total, groups: _groups, ...body } = await progressBody(tx, made.id)
  return { status: isNew ? 201 : 200, body }
}

async function groupIdsOf(tx: Queryable, programmeId: string, codes: readonly string[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string; code: string }>(
    'select id, code from groups where programme_id = $1 and code = any($2)',
    [programmeId, codes],
  )
  const idByCode = new Map(rows.map(({ id, code }) => [code, id]))
  return codes.map((code, index) => {
    const id = idByCode.get(code)
    if (id === undefined)
      throw new RequestError('notice.refused', {
        field: `groups[${index}]`,
        detail: 'there is no such group',
      })
    return id
  })
}

const bodyOf = (notice: Omit<ListedNotice, 'counts' | 'groupIds' | 'author'>, recipients: StateCounts) => ({
  id: notice.id,
  status: notice.status,
  channel: notice.channel,
  purpose: notice.purpose,
  template: notice.template,
  createdAt: notice.createdAt.toISOString(),
  sendAt: iso(notice.sendAt),
  approvedAt: iso(notice.approvedAt),
  endedAt: iso(notice.endedAt),
  recipients,
})

async function progressBody(tx: Queryable, id: string): Promise<z.infer<typeof noticeProgressAnswer>> {
  const notice = await readNotice(tx, id)
  if (notice === undefined) throw unknownNotice()
  const { total, byState, groups } = await noticeProgress(tx, id)
  const { rows } = await tx.query<{ id: string; code: string }>(
    'select id, code from groups where id = any($1)',
    [groups.flatMap(({ groupId }) => groupId ?? [])],
  )
  const codeById = new Map(rows.map((row) => [row.id, row.code]))
  return {
    ...bodyOf(notice, byState),
    total,
    groups: groups.map(({ groupId, counts }) => ({
      group: (groupId === null ? undefined : codeById.get(groupId)) ?? null,
      recipients: counts,
    })),
  }
}

export async function noticeOf(
  tx: Queryable,
  id: string,
): Promise<Answer<z.infer<typeof noticeProgressAnswer>>> {
  return { status: 200, body: await progressBody(tx, id) }
}

const noticeOrder: ListOrder = { name: 'notices', columns: [['id', 'uuid']], newestFirst: true }
const recipientOrder: ListOrder = { name: 'recipients', columns: [['number', 'text']] }

export async function noticesOf(
  tx: Queryable,
  { programmeId }: ApiCaller,
  page: z.infer<typeof noticesQuery>,
): Promise<Answer<z.infer<typeof noticesAnswer>>> {
  const [before] = page.cursor === undefined ? [] : placeOf(noticeOrder, page.cursor)
  const more = before === undefined ? {} : { before }
  const listed = await listNotices(tx, { programmeId, limit: page.limit + 1, ...more })
  const { rows: notices, next } = cutPage(noticeOrder, listed, page, ({ id }) => [id])
  return { status: 200, body: { notices: notices.map((one) => bodyOf(one, one.counts)), next } }
}

export async function previewOf(
  { tx, clock, i18n }: { tx: Queryable; clock: Clock; i18n: I18n },
  id: string,
): Promise<Answer<z.infer<typeof previewAnswer>>> {
  const preview = await previewNotice(tx, i18n, id, clock.now())
  if (preview === undefined) throw unknownNotice()
  return { status: 200, body: preview }
}

export async function recipientsPage(
  tx: Queryable,
  { programmeId }: ApiCaller,
  id: string,
  { state, group, ...asked }: z.infer<typeof recipientsQuery>,
): Promise<Answer<z.infer<typeof recipientsAnswer>>> {
  if ((await readNotice(tx, id)) === undefined) throw unknownNotice()
  const groupIds = group === undefined ? undefined : await groupIdsOf(tx, programmeId, [group])
  const [after] = asked.cursor === undefined ? [] : placeOf(recipientOrder, asked.cursor)
  const found = await recipientsOf(tx, id, {
    limit: asked.limit + 1,
    ...(groupIds === undefined ? {} : { groupIds }),
    ...(state === undefined ? {} : { states: [state] }),
    ...(after === undefined ? {} : { after }),
  })
  const { rows: page, next } = cutPage(recipientOrder, found, asked, ({ number }) => [number])
  const recipients = page.map(({ number, state, reason, toldAt }) => ({
    member: number,
    state,
    reason,
    toldAt: iso(toldAt),
  }))
  return { status: 200, body: { recipients, next } }
}

export async function sendOf(
  tx: Queryable,
  clock: Clock,
  { keyName }: ApiCaller,
  id: string,
): Promise<Answer<z.infer<typeof sentAnswer>>> {
  const { outcome, faults } = await sendNotice(tx, id, { api: keyName }, clock.now())
  if (outcome === 'refused') throw refused(faults)
  return { status: 200, body: { id, outcome } }
}

export async function undoOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  id: string,
): Promise<Answer<z.infer<typeof undoneAnswer>>> {
  const { outcome, faults } = await undoNotice(tx, id, actorOf(caller), clock.now())
  if (outcome === 'refused') throw refused(faults)
  return { status: 200, body: { id, outcome } }
}

export async function stopOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  id: string,
): Promise<Answer<z.infer<typeof stoppedAnswer>>> {
  const { outcome, faults, cancelled, left } = await stopNotice(tx, id, actorOf(caller), clock.now())
  if (outcome === 'refused') throw refused(faults)
  return { status: 200, body: { id, outcome, cancelled, left } }
}

/** Ticking her off again changes nothing and says the same. */
export async function tellOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  id: string,
  { member }: z.infer<typeof toldSchema>,
): Promise<Answer<z.infer<typeof toldAnswer>>> {
  const memberId = await findMemberId(tx, caller, member)
  const recipient = await tx.query(
    'select 1 from notice_recipients where notice_id::text = $1 and member_id = $2',
    [id.toLowerCase(), memberId ?? null],
  )
  if (memberId === undefined || recipient.rowCount === 0)
    throw new RequestError('route.unknown', { field: 'member', detail: 'the notice was not for this member' })
  const toldNow = await markTold(tx, { noticeId: id, memberId, by: actorOf(caller), now: clock.now() })
  return { status: toldNow ? 201 : 200, body: { member, state: 'told' } }
}
