// In: what the back office asks of its members as a list, and whom it enrols or changes. Out: members, phones masked.
// Names are shown to a key of their own programme alone; a number is never shown whole.

import { z } from 'zod'
import { recordAudit } from '../audit.ts'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import { changeMember } from '../members/change.ts'
import { aliasCharsMax, enrolMembers, type WrittenPhone } from '../members/enrolment.ts'
import { beginsSql } from '../members/search.ts'
import { maskMsisdn } from '../msisdn.ts'
import { numbersOf } from './api-phones.ts'
import { findMemberId } from './api-reads.ts'
import { type Answer, printable, writtenPhone } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { type ListOrder, nextAnswer, pageQuery, readPage } from './paging.ts'

const statuses = ['active', 'suspended', 'left'] as const
const roles = ['member', 'president', 'treasurer', 'educator'] as const

const name = printable(80)
const alias = printable(aliasCharsMax).describe('Short name by which she is chosen on a shared phone')
const groupCode = printable(60).describe('Code of her group, which must be there')
const language = printable(20).describe('One that the programme offers')

export const membersQuery = z.strictObject({
  group: printable(60).optional().describe('Code of a group'),
  status: z.enum(statuses).optional(),
  text: printable(60)
    .optional()
    .describe(
      'how a name, an alias or a member number begins, of members who are not erased; capitals and accents do not count',
    ),
  ...pageQuery,
})

export const memberSchema = z.strictObject({
  number: printable(60).describe("The programme's own member number; the idempotency key"),
  firstName: name,
  lastName: name,
  alias: alias.optional(),
  group: groupCode.optional(),
  role: z.enum(roles).optional(),
  status: z.enum(statuses).optional(),
  language: language.optional(),
  birthYear: z.int().min(1900).max(2100).optional(),
  phones: z.array(writtenPhone).max(5).default([]).describe('The first is the one that she is written to'),
})

export const memberChangeSchema = z
  .strictObject({
    firstName: name.optional(),
    lastName: name.optional(),
    alias: alias.optional(),
    group: groupCode.nullable().optional(),
    role: z.enum(roles).optional(),
    status: z.enum(statuses).optional(),
    language: language.nullable().optional().describe('Null: she chooses anew at her next dial'),
    phones: z
      .strictObject({
        add: z
          .array(writtenPhone)
          .max(5)
          .default([])
          .describe('Only while she has no number and no PIN; later ones are bound by confirmations'),
        remove: z.array(writtenPhone).max(5).default([]),
      })
      .optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, { path: [], message: 'give something to change' })

export const memberAnswer = z.object({
  number: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  alias: z.string(),
  group: z.string().nullable().describe('Code of her group'),
  role: z.enum(roles),
  status: z.enum(statuses),
  language: z.string().nullable().describe('Null until she has chosen'),
  birthYear: z.int().nullable(),
  phones: z.array(
    z.object({
      phone: z.string().describe('Masked'),
      primary: z.boolean(),
      state: z.enum(['bound', 'reverify']),
    }),
  ),
  erased: z.boolean().describe('Her names and numbers were erased; the row stays for the books'),
  createdAt: z.string(),
})

export const membersAnswer = z.object({ members: z.array(memberAnswer), next: nextAnswer })

type MemberBody = z.infer<typeof memberAnswer>
interface MemberRow extends Omit<MemberBody, 'phones' | 'createdAt'> {
  phones: { msisdn: string; primary: boolean; state: 'bound' | 'reverify' }[]
  createdAt: Date
}

const order: ListOrder = { name: 'members', columns: [['m.number', 'text']] }

const columns = `m.number, m.first_name as "firstName", m.last_name as "lastName", m.alias, g.code as "group", m.role, m.status, m.language,
  m.birth_year as "birthYear", m.erased_at is not null as erased, m.created_at as "createdAt",
  coalesce((select json_agg(json_build_object('msisdn', p.msisdn, 'primary', mp.is_primary,
      'state', case when mp.reverify_since is null then 'bound' else 'reverify' end) order by mp.is_primary desc, p.id)
    from member_phones mp join phones p on p.id = mp.phone_id where mp.member_id = m.id), '[]') as phones`
const source = 'from members m left join groups g on g.id = m.group_id where m.programme_id = $1'

export async function membersOf(
  tx: Queryable,
  caller: ApiCaller,
  query: z.infer<typeof membersQuery>,
): Promise<Answer<z.infer<typeof membersAnswer>>> {
  const { group, status, text } = query
  const { rows, next } = await readPage<MemberRow>(tx, order, {
    select: columns,
    from: `${source} and ($2::text is null or g.code = $2) and ($3::text is null or m.status = $3)
      and ($4::text is null or m.erased_at is null and (${beginsSql('$4')}))`,
    values: [caller.programmeId, group ?? null, status ?? null, text ?? null],
    page: query,
  })
  return { status: 200, body: { members: rows.map(bodyOf), next } }
}

export async function memberOf(
  tx: Queryable,
  caller: ApiCaller,
  number: string,
): Promise<Answer<MemberBody>> {
  return { status: 200, body: await readMember(tx, caller, number) }
}

/** A number that is taken answers 200 when all that is said of her is so, else 409: a member is never overwritten. */
export async function enrol(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  input: z.infer<typeof memberSchema>,
): Promise<Answer<MemberBody>> {
  const { programmeId } = caller
  const groupId = await groupIdOf(tx, caller, input.group)
  await refuseLanguage(tx, caller, input.language)
  const phones = await phonesIn(tx, caller, input.phones, 'phones')
  const ids = await enrolMembers(tx, programmeId, [
    {
      number: input.number,
      firstName: input.firstName,
      lastName: input.lastName,
      alias: input.alias,
      groupId: groupId ?? undefined,
      birthYear: input.birthYear,
      language: input.language,
      status: input.status,
      role: input.role,
      phones,
    },
  ])
  const memberId = ids.get(input.number)
  const body = await readMember(tx, caller, input.number)
  if (memberId === undefined) {
    if (!isAs(body, input, phones)) throw new RequestError('member.number_taken', { field: 'number' })
    return { status: 200, body }
  }
  await recordAudit(tx, {
    at: clock.now(),
    programmeId,
    actor: actorOf(caller),
    action: 'member.enrolled',
    subject: `member:${memberId}`,
    after: {
      group: groupId ?? null,
      role: body.role,
      status: body.status,
      language: body.language,
      phones: phones.length,
    },
  })
  return { status: 201, body }
}

export async function change(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
  input: z.infer<typeof memberChangeSchema>,
): Promise<Answer<MemberBody>> {
  const memberId = await findMemberId(tx, caller, number)
  if (memberId === undefined) throw unknownMember()
  const { group, phones, ...plain } = input
  await refuseLanguage(tx, caller, input.language ?? undefined)
  const changed = await changeMember(tx, {
    programmeId: caller.programmeId,
    memberId,
    changes: {
      ...plain,
      ...(group === undefined ? {} : { groupId: await groupIdOf(tx, caller, group) }),
      addPhones: await phonesIn(tx, caller, phones?.add ?? [], 'phones.add'),
      removePhones: (await phonesIn(tx, caller, phones?.remove ?? [], 'phones.remove')).map(
        ({ msisdn }) => msisdn,
      ),
    },
    actor: actorOf(caller),
    now: clock.now(),
  })
  return { status: changed ? 201 : 200, body: await readMember(tx, caller, number) }
}

const unknownMember = () =>
  new RequestError('route.unknown', { field: 'number', detail: 'no member has this number' })

async function readMember(tx: Queryable, caller: ApiCaller, number: string): Promise<MemberBody> {
  const { rows } = await tx.query<MemberRow>(`select ${columns} ${source} and m.number = $2`, [
    caller.programmeId,
    number,
  ])
  if (rows[0] === undefined) throw unknownMember()
  return bodyOf(rows[0])
}

const bodyOf = ({ phones, createdAt, ...row }: MemberRow): MemberBody => ({
  ...row,
  phones: phones.map(({ msisdn, ...phone }) => ({ phone: maskMsisdn(msisdn), ...phone })),
  createdAt: createdAt.toISOString(),
})

/** What the request leaves out is not asked about. */
function isAs(
  body: MemberBody,
  { phones: _written, ...said }: z.infer<typeof memberSchema>,
  phones: readonly WrittenPhone[],
): boolean {
  const stored: Readonly<Record<string, unknown>> = body
  const masked = body.phones.map(({ phone }) => phone)
  return (
    Object.entries(said).every(([field, value]) => value === undefined || stored[field] === value) &&
    phones.every(({ msisdn }) => masked.includes(maskMsisdn(msisdn)))
  )
}

async function groupIdOf(
  tx: Queryable,
  caller: ApiCaller,
  code: string | null | undefined,
): Promise<string | null> {
  if (code === undefined || code === null) return null
  const { rows } = await tx.query<{ id: string }>(
    'select id from groups where programme_id = $1 and code = $2',
    [caller.programmeId, code],
  )
  if (rows[0] === undefined) throw new RequestError('group.unknown', { field: 'group' })
  return rows[0].id
}

async function refuseLanguage(tx: Queryable, caller: ApiCaller, language: string | undefined): Promise<void> {
  if (language === undefined) return
  const { rows } = await tx.query<{ languages: string[] }>('select languages from programmes where id = $1', [
    caller.programmeId,
  ])
  const offered = rows[0]?.languages
  if (offered === undefined) throw new InvariantError('a key is of no programme')
  if (!offered.includes(language))
    throw new RequestError('request.field_invalid', {
      field: 'language',
      detail: `must be one of ${offered.join(', ')}`,
    })
}

async function phonesIn(
  tx: Queryable,
  caller: ApiCaller,
  written: readonly string[],
  field: string,
): Promise<WrittenPhone[]> {
  if (written.length === 0) return []
  const msisdnOf = await numbersOf(tx, caller)
  return written.map((raw, index) => ({ msisdn: msisdnOf(raw, `${field}[${index}]`), raw }))
}
