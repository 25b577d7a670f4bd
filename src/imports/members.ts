// In: rows of members. Out: members with their groups and phones. Never overwrites a member who is already there.
import type pg from 'pg'
import { z } from 'zod'
import type { AddFault } from './faults.ts'
import {
  emptyIsUndefined,
  type ImportProgramme,
  optionalPhone,
  optionalText,
  text,
  wholeNumber,
  word,
} from './fields.ts'
import type { ImportKind, Numbered, Written } from './kind.ts'

const rowSchema = (programme: ImportProgramme) =>
  z.object({
    number: text(60),
    first_name: text(80),
    last_name: text(80),
    alias: optionalText(20),
    group: optionalText(60),
    group_name: optionalText(80),
    group_place: optionalText(80),
    phone: optionalPhone(programme.country),
    birth_year: emptyIsUndefined(wholeNumber(1900, 2100)),
    language: optionalText(20).refine(
      (language) => language === undefined || programme.languages.includes(language),
      'language.unknown',
    ),
    status: emptyIsUndefined(word(['active', 'suspended', 'left'])),
    role: emptyIsUndefined(word(['member', 'president', 'treasurer', 'educator'])),
  })

type MemberRow = z.infer<ReturnType<typeof rowSchema>>

export function membersKind(programme: ImportProgramme): ImportKind<MemberRow, MemberRow> {
  const seen = new Set<string>()
  return {
    columns: {
      required: ['number', 'first_name', 'last_name'],
      optional: [
        'alias',
        'group',
        'group_name',
        'group_place',
        'phone',
        'birth_year',
        'language',
        'status',
        'role',
      ],
    },
    row: rowSchema(programme),
    groupBy: undefined,
    build: ([row], addFault) => {
      if (row === undefined) return undefined
      if (seen.has(row.value.number)) {
        addFault(row.line, 'number', 'member.doubled')
        return undefined
      }
      seen.add(row.value.number)
      return row.value
    },
    write: (tx, members, addFault) => writeMembers(tx, programme, members, addFault),
  }
}

async function writeMembers(
  tx: pg.PoolClient,
  programme: ImportProgramme,
  members: readonly Numbered<MemberRow>[],
  addFault: AddFault,
): Promise<Written> {
  const existing = await tx.query<{ number: string; firstName: string; lastName: string }>(
    `select number, first_name as "firstName", last_name as "lastName"
       from members where programme_id = $1 and number = any($2)`,
    [programme.id, members.map(({ value }) => value.number)],
  )
  const known = new Map(existing.rows.map((row) => [row.number, row]))
  const fresh = members.filter(({ line, value }) => {
    const other = known.get(value.number)
    if (other !== undefined && (other.firstName !== value.first_name || other.lastName !== value.last_name))
      addFault(line, 'number', 'member.number_taken')
    return other === undefined
  })
  const rows = fresh.map(({ value }) => value)
  const groupIds = await openGroups(tx, programme.id, rows)
  const inserted = await tx.query<{ id: string; number: string }>(
    `insert into members (programme_id, group_id, number, first_name, last_name, alias, birth_year, language, status, role)
     select $1, t.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[], $9::text[],
       $10::text[]) as t
     returning id, number`,
    [
      programme.id,
      rows.map((row) => (row.group === undefined ? null : (groupIds.get(row.group) ?? null))),
      rows.map((row) => row.number),
      rows.map((row) => row.first_name),
      rows.map((row) => row.last_name),
      rows.map((row) => row.alias ?? row.first_name.slice(0, 20)),
      rows.map((row) => row.birth_year ?? null),
      rows.map((row) => row.language ?? null),
      rows.map((row) => row.status ?? 'active'),
      rows.map((row) => row.role ?? 'member'),
    ],
  )
  await linkPhones(tx, programme.id, rows, new Map(inserted.rows.map((row) => [row.number, row.id])))
  return { written: fresh.length, alreadyThere: members.length - fresh.length }
}

/** Group code to id; groups that are not there yet are opened. */
async function openGroups(
  tx: pg.PoolClient,
  programmeId: string,
  rows: readonly MemberRow[],
): Promise<Map<string, string>> {
  const groups = new Map<string, { name: string; place: string }>()
  for (const { group, group_name: name, group_place: place } of rows)
    if (group !== undefined && !groups.has(group))
      groups.set(group, { name: name ?? group, place: place ?? '' })
  if (groups.size === 0) return new Map()
  const codes = [...groups.keys()]
  const described = [...groups.values()]
  await tx.query(
    `insert into groups (programme_id, code, name, place)
     select $1, t.* from unnest($2::text[], $3::text[], $4::text[]) as t on conflict do nothing`,
    [programmeId, codes, described.map((group) => group.name), described.map((group) => group.place)],
  )
  const found = await tx.query<{ id: string; code: string }>(
    'select id, code from groups where programme_id = $1 and code = any($2)',
    [programmeId, codes],
  )
  return new Map(found.rows.map((row) => [row.code, row.id]))
}

async function linkPhones(
  tx: pg.PoolClient,
  programmeId: string,
  rows: readonly MemberRow[],
  memberIds: ReadonlyMap<string, string>,
): Promise<void> {
  const withPhone = rows.flatMap(({ number, phone }) =>
    phone === undefined ? [] : [{ memberId: memberIds.get(number), ...phone }],
  )
  if (withPhone.length === 0) return
  const raw = new Map(withPhone.map((row) => [row.msisdn, row.raw]))
  await tx.query(
    `insert into phones (programme_id, msisdn, raw)
     select $1, t.* from unnest($2::text[], $3::text[]) as t on conflict do nothing`,
    [programmeId, [...raw.keys()], [...raw.values()]],
  )
  await tx.query(
    `insert into member_phones (member_id, phone_id)
     select t.member_id, phones.id from unnest($2::uuid[], $3::text[]) as t (member_id, msisdn)
       join phones on phones.programme_id = $1 and phones.msisdn = t.msisdn`,
    [programmeId, withPhone.map((row) => row.memberId), withPhone.map((row) => row.msisdn)],
  )
}
