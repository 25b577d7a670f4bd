// In: what somebody wants to tell whom. Out: a draft, or everything that is wrong with it, each with its field; nothing is half written.
// Must never accept words that a member of the audience could not read or that her phone would cut.
import { z } from 'zod'
import { recordAudit } from '../audit.ts'
import { instantAt, isPlausibleDay } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { estimateSms, spell } from '../encoding.ts'
import { type I18n, offeredAs } from '../i18n.ts'
import { minuteOf, type NoticeTemplate, noticeTemplates, writtenIn } from '../outbound/notice-text.ts'
import { type Audience, audienceSchema, countAudience, noticePurposes, sumOf } from './audience.ts'
import type { NoticeChannel, NoticeLane, NoticeProgramme } from './record.ts'
import { readNoticeProgramme } from './record.ts'
import { type Author, fault, type NoticeFault, reaches, type Standing, standingOf } from './rights.ts'

export interface NoticeDraft {
  programmeId: string
  author: Author
  channel: NoticeChannel
  purpose: (typeof noticePurposes)[number]
  audience: Audience
  /** One of noticeTemplates with its `fields`; left out or "free": `texts` by language instead. */
  template?: string
  fields?: Record<string, string>
  texts?: Record<string, string>
  /** Left out: as soon as it may. */
  sendAt?: Date
  /** Left out: a template with a day ends with it, others a week after they begin. */
  expiresAt?: Date
  /** Left out: what is about a meeting is "planned" and passes a large notice. */
  lane?: NoticeLane
  /** The same key again is the same draft. */
  dedupeKey: string
  now: Date
}

/** Line breaks are words too; other control characters and halves of letters are not. */
const words = z
  .string()
  .min(1)
  .max(1_600)
  .regex(/^[^\p{Cs}]*$/u, 'must be whole characters')
  .refine((text) => !/[^\P{Cc}\n]/u.test(text), 'must have no control character but the line break')
  .refine((text) => text.trim() !== '', 'must say something')
const line = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must be one line')

const fieldSchemas = {
  day: z.string().refine(isPlausibleDay, 'must be a day like 2026-11-22'),
  time: z.string().refine((text) => minuteOf(text) !== undefined, 'must be a time like 09:30'),
  place: line,
  topic: line,
} as const

const draftSchema = z.object({
  channel: z.enum(['ussd', 'sms', 'console', 'api']),
  purpose: z.enum(noticePurposes),
  audience: audienceSchema,
  template: z.string().max(60).optional(),
  fields: z.record(z.string().max(30), z.string().max(200)).default({}),
  texts: z.record(z.string().max(40), words).default({}),
  sendAt: z.date().optional(),
  expiresAt: z.date().optional(),
  lane: z.enum(['planned', 'bulk']).optional(),
  dedupeKey: z
    .string()
    .min(1)
    .max(200)
    .regex(/^\P{Cc}*$/u, 'must be one line'),
})
type Draft = z.infer<typeof draftSchema> & Pick<NoticeDraft, 'now'>

const dayMs = 24 * 3_600_000
/** Nobody plans a notice further ahead; a slip of the year would wait unseen. */
const aheadMaxMs = 400 * dayMs

/** Writes a draft. A repetition under the same dedupeKey gives the first one's id; with other contents it is a fault. */
export async function draftNotice(
  tx: Queryable,
  i18n: I18n,
  ask: NoticeDraft,
): Promise<{ id: string } | { faults: NoticeFault[] }> {
  const parsed = draftSchema.safeParse(ask)
  if (!parsed.success) return { faults: parsed.error.issues.map(ofIssue) }
  const programme = await readNoticeProgramme(tx, ask.programmeId)
  const standing = programme && (await standingOf(tx, ask.programmeId, ask.author))
  if (programme === undefined || standing === undefined)
    return { faults: [fault('author', 'not_allowed', 'Whoever asks may not write notices here.')] }
  const draft = { ...parsed.data, now: ask.now, ...endOf({ ...parsed.data, now: ask.now }, programme) }
  const faults = [
    ...rightFaults(draft, standing),
    ...timeFaults(draft, programme),
    ...wordFaults(draft, programme, i18n),
    ...(await audienceFaults(tx, draft, programme)),
  ]
  if (faults.length > 0) return { faults }
  const unread = await readerFaults(tx, draft, programme)
  if (unread.length > 0) return { faults: unread }
  return insertDraft(tx, ask.programmeId, draft, standing)
}

function ofIssue({ path, message, code }: z.core.$ZodIssue): NoticeFault {
  const isEmptyList = path[0] === 'audience' && code === 'too_small'
  return fault(
    path.map(String).join('.') || 'notice',
    isEmptyList ? 'audience_empty' : 'field_invalid',
    isEmptyList ? 'A list of the audience is empty: leave it out or name somebody.' : message,
  )
}

const isWritten = ({ template }: Pick<Draft, 'template'>) => template === undefined || template === 'free'

/** What is about a day has nothing to say after it. */
function endOf(draft: Draft, { timeZone }: NoticeProgramme): { expiresAt?: Date } {
  const { day, time } = draft.fields
  if (draft.expiresAt !== undefined || isWritten(draft) || day === undefined || !isPlausibleDay(day))
    return {}
  const minute = time === undefined ? undefined : minuteOf(time)
  return { expiresAt: instantAt(day, minute ?? 1_439, timeZone) }
}

function rightFaults(draft: Draft, standing: Standing): NoticeFault[] {
  const faults: NoticeFault[] = []
  if (!reaches(standing, draft.audience.groupIds))
    faults.push(
      fault('audience.groupIds', 'not_allowed', 'Name groups of your own: only those may be written to.'),
    )
  if (standing.templatesOnly && isWritten(draft))
    faults.push(fault('texts', 'template_only', 'An officer chooses one of the templates.'))
  if (standing.templatesOnly && draft.purpose !== 'service' && draft.purpose !== 'meeting')
    faults.push(fault('purpose', 'not_allowed', 'An officer writes about service and meetings only.'))
  return faults
}

function timeFaults({ sendAt, expiresAt, now, fields }: Draft, { timeZone }: NoticeProgramme): NoticeFault[] {
  const faults: NoticeFault[] = []
  if (sendAt !== undefined && sendAt < now)
    faults.push(fault('sendAt', 'in_past', 'The time to send is over: choose a later one, or leave it out.'))
  if (sendAt !== undefined && sendAt.getTime() > now.getTime() + aheadMaxMs)
    faults.push(fault('sendAt', 'too_far', 'The time to send is more than a year ahead.'))
  const minute = minuteOf(fields.time ?? '') ?? 1_439
  const isOver =
    fields.day !== undefined && isPlausibleDay(fields.day) && instantAt(fields.day, minute, timeZone) <= now
  if (isOver) faults.push(fault('fields.day', 'in_past', 'The day and time that it tells of are over.'))
  else if (expiresAt !== undefined && expiresAt <= now)
    faults.push(fault('expiresAt', 'in_past', 'The time after which it is not sent any more is over.'))
  else if (expiresAt !== undefined && sendAt !== undefined && expiresAt <= sendAt)
    faults.push(
      fault(
        'expiresAt',
        'before_start',
        'It would expire before it is sent: send earlier or let it end later.',
      ),
    )
  return faults
}

function wordFaults(draft: Draft, programme: NoticeProgramme, i18n: I18n): NoticeFault[] {
  return isWritten(draft) ? textFaults(draft, programme, i18n) : fieldFaults(draft)
}

function fieldFaults({ template = '', fields, texts }: Draft): NoticeFault[] {
  if (!Object.hasOwn(noticeTemplates, template)) {
    const known = Object.keys(noticeTemplates).join(', ')
    return [fault('template', 'template_unknown', `There is no such template; there are: ${known}, free.`)]
  }
  const wanted: readonly string[] = noticeTemplates[template as NoticeTemplate]
  const faults = Object.keys(fields)
    .filter((name) => !wanted.includes(name))
    .map((name) => fault(fieldOf('fields', name), 'field_unknown', 'The template states no such field.'))
  if (Object.keys(texts).length > 0)
    faults.push(fault('texts', 'not_both', 'Give a template with fields, or texts: not both.'))
  for (const name of wanted as readonly (keyof typeof fieldSchemas)[]) {
    const given = fields[name]
    if (given === undefined) faults.push(fault(`fields.${name}`, 'field_missing', 'The template states it.'))
    else {
      const issue = fieldSchemas[name].safeParse(given).error?.issues[0]
      if (issue !== undefined) faults.push(fault(`fields.${name}`, 'field_invalid', issue.message))
    }
  }
  return faults
}

/** A name is echoed only when it looks like one: anything could stand there. */
const fieldOf = (list: string, name: string) => (/^[\w-]{1,40}$/.test(name) ? `${list}.${name}` : list)

function textFaults({ texts, fields }: Draft, programme: NoticeProgramme, i18n: I18n): NoticeFault[] {
  const { languages } = programme
  const faults: NoticeFault[] = []
  if (Object.keys(fields).length > 0)
    faults.push(fault('fields', 'not_both', 'Give a template with fields, or texts: not both.'))
  if (Object.keys(texts).length === 0)
    faults.push(fault('texts', 'field_missing', 'Write a text, or choose a template.'))
  for (const tag of Object.keys(texts))
    if (offeredAs(tag, languages) === undefined)
      faults.push(
        fault(
          fieldOf('texts', tag),
          'language_unknown',
          `The programme does not offer this language; it offers ${languages.join(', ')}.`,
        ),
      )
  // In every way to write the language that a member may have chosen.
  for (const tag of languages) {
    const text = writtenIn(texts, tag)
    if (text !== undefined && i18n.languages.has(tag)) faults.push(...fitFaults(text, tag, programme, i18n))
  }
  return faults
}

/** Names the language, the units and the remedy of a text that its phones or networks would not take whole. */
function fitFaults(text: string, tag: string, programme: NoticeProgramme, i18n: I18n): NoticeFault[] {
  const { segmentsMax, optOutTail } = programme
  // Where parts are not joined, the network's tail on a first message must stand in the same segment.
  const tail = segmentsMax === 1 ? (optOutTail ?? '') : ''
  const spelled = spell(text, i18n.language(tag).gsm7)
  const { encoding, units, segments, costly, segmentsWithoutCostly } = estimateSms(spelled + tail)
  if (segments <= segmentsMax) return []
  const unit = encoding === 'gsm7' ? 'septets' : 'characters'
  const room = roomOf(encoding, segmentsMax)
  const letters = costly.slice(0, 5).join(' ')
  const remedy =
    costly.length > 0 && segmentsWithoutCostly <= segmentsMax
      ? `Write it without ${letters}, and it fits.`
      : `Shorten it by ${units - room}${costly.length > 0 ? `; ${letters} more than halves the room` : ''}.`
  const detail = `In ${tag} it takes ${units} ${unit}, ${segments} SMS; there is room for ${room}, ${segmentsMax} SMS. ${remedy}`
  return [fault(`texts.${tag}`, 'text_too_long', detail)]
}

function roomOf(encoding: 'gsm7' | 'ucs2', segments: number): number {
  const [alone, part] = encoding === 'gsm7' ? [160, 153] : [70, 67]
  return segments === 1 ? alone : part * segments
}

async function audienceFaults(
  tx: Queryable,
  { audience }: Draft,
  { programmeId, languages }: NoticeProgramme,
): Promise<NoticeFault[]> {
  const faults: NoticeFault[] = []
  const unspoken = audience.languages?.some((wish) => offeredAs(wish, languages) === undefined)
  if (unspoken === true)
    faults.push(
      fault('audience.languages', 'language_unknown', `The programme offers ${languages.join(', ')}.`),
    )
  return [...faults, ...(await groupFaults(tx, programmeId, audience))]
}

/** Groups that are not there, or not there any more. */
export async function groupFaults(
  tx: Queryable,
  programmeId: string,
  { groupIds = [] }: Audience,
): Promise<NoticeFault[]> {
  if (groupIds.length === 0) return []
  const { rows } = await tx.query<{ id: string }>(
    'select id from groups where programme_id = $1 and id = any($2::uuid[])',
    [programmeId, groupIds],
  )
  const known = new Set(rows.map(({ id }) => id))
  return groupIds.flatMap((id, index) =>
    known.has(id.toLowerCase())
      ? []
      : [fault(`audience.groupIds.${index}`, 'group_unknown', 'There is no such group.')],
  )
}

/** Somebody must read it, and everybody who would get it must find it in a language of hers. */
export async function readerFaults(
  tx: Queryable,
  draft: Pick<Draft, 'audience' | 'purpose' | 'texts'> & { template?: string | undefined },
  { programmeId, languages }: NoticeProgramme,
): Promise<NoticeFault[]> {
  const { audience, purpose, texts } = draft
  const template = isWritten(draft) ? null : (draft.template ?? null)
  const counted = await countAudience(tx, { programmeId, languages, audience, purpose, texts, template })
  const unread = counted.filter(({ excluded }) => excluded === 'no_text')
  if (unread.length > 0)
    return unread.map(({ language, members }) =>
      fault(
        `texts.${language}`,
        'text_missing',
        `${members} of its members read ${language}, and nothing is written in it.`,
      ),
    )
  if (sumOf(counted, () => true) === 0)
    return [fault('audience', 'audience_empty', 'Nobody is in this audience.')]
  if (sumOf(counted, ({ excluded }) => excluded === null) === 0)
    return [fault('audience', 'audience_unreachable', 'Nothing may be sent to anybody in this audience.')]
  return []
}

const insertSql = `
  insert into notices (programme_id, author_staff_id, author_member_id, channel, purpose, audience, template, fields, texts, lane,
                       send_at, expires_at, dedupe_key, created_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
  on conflict (programme_id, dedupe_key) do nothing returning id`

const sameSql = `
  select id, (author_staff_id, author_member_id, channel, purpose, audience, template, fields, texts, lane, send_at)
             is not distinct from ($2::uuid, $3::uuid, $4::text, $5::text, $6::jsonb, $7::text, $8::jsonb, $9::jsonb, $10::text,
                                   $11::timestamptz(3)) as same
    from notices where programme_id = $1 and dedupe_key = $12`

async function insertDraft(
  tx: Queryable,
  programmeId: string,
  draft: Draft,
  standing: Standing,
): Promise<{ id: string } | { faults: NoticeFault[] }> {
  const template = isWritten(draft) ? null : draft.template
  const lane = draft.lane ?? (draft.purpose === 'meeting' ? 'planned' : 'bulk')
  const same = [
    programmeId,
    standing.staffId,
    standing.memberId,
    draft.channel,
    draft.purpose,
    JSON.stringify(draft.audience),
    template,
    JSON.stringify(draft.fields),
    JSON.stringify(draft.texts),
    lane,
    draft.sendAt ?? null,
  ]
  const values = [...same, draft.expiresAt ?? null, draft.dedupeKey, draft.now]
  const written = (await tx.query<{ id: string }>(insertSql, values)).rows[0]
  if (written === undefined) {
    const there = (await tx.query<{ id: string; same: boolean }>(sameSql, [...same, draft.dedupeKey])).rows[0]
    if (there?.same === true) return { id: there.id }
    return { faults: [fault('dedupeKey', 'key_taken', 'This key already names another notice.')] }
  }
  await recordAudit(tx, {
    at: draft.now,
    programmeId,
    actor: standing.actor,
    action: 'notice.drafted',
    subject: `notice:${written.id}`,
    after: { channel: draft.channel, purpose: draft.purpose, template: template ?? 'free', lane },
  })
  return { id: written.id }
}
