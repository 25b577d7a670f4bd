// In: rows of groups. Out: groups with place and facilitator, new or brought up to date through the code of a programme's description.
// Must never take a facilitator away where the file names none, nor a group that the file does not name.
import type pg from 'pg'
import { z } from 'zod'
import { findStaff } from '../members/staff.ts'
import type { AddFault } from './faults.ts'
import { type ImportProgramme, optionalPhone, text } from './fields.ts'
import { writeGroups } from './groups.ts'
import type { ImportChange, ImportKind, Numbered, Written } from './kind.ts'

const rowSchema = ({ country }: ImportProgramme) =>
  z.object({ code: text(60), name: text(80), place: text(80), facilitator: optionalPhone(country) })
type GroupRow = z.infer<ReturnType<typeof rowSchema>>

export function groupsKind(programme: ImportProgramme, now: Date): ImportKind<GroupRow, GroupRow> {
  const seen = new Set<string>()
  return {
    columns: { required: ['code', 'name', 'place'], optional: ['facilitator'] },
    row: rowSchema(programme),
    groupBy: undefined,
    build: ([row], addFault) => {
      if (row === undefined) return undefined
      if (seen.has(row.value.code)) {
        addFault(row.line, 'code', 'group.doubled')
        return undefined
      }
      seen.add(row.value.code)
      return row.value
    },
    write: (tx, rows, addFault) => writeRows(tx, programme, now, rows, addFault),
  }
}

interface Standing {
  code: string
  name: string
  place: string
  facilitator: string | null
}

async function writeRows(
  tx: pg.PoolClient,
  { id: programmeId, country }: ImportProgramme,
  now: Date,
  rows: readonly Numbered<GroupRow>[],
  addFault: AddFault,
): Promise<Written> {
  const phones = rows.flatMap(({ value }) => value.facilitator?.msisdn ?? [])
  const staff = await findStaff(tx, programmeId, [...new Set(phones)])
  const sound = rows.filter(({ line, value: { facilitator } }) => {
    const isKnown = facilitator === undefined || staff.has(facilitator.msisdn)
    if (!isKnown) addFault(line, 'facilitator', 'staff.unknown')
    return isKnown
  })
  const { rows: standing } = await tx.query<Standing>(
    `select g.code, g.name, g.place, s.msisdn as facilitator from groups g left join staff s on s.id = g.facilitator_id
      where g.programme_id = $1 and g.code = any($2)`,
    [programmeId, sound.map(({ value }) => value.code)],
  )
  const before = new Map(standing.map((group) => [group.code, group]))
  const changes = sound.flatMap(({ line, value }) => changeOf(line, value, before.get(value.code)))
  await writeGroups(
    tx,
    { programmeId, country, now },
    sound.map(({ value: { code, name, place, facilitator } }) => ({
      code,
      name,
      place,
      facilitator: facilitator?.msisdn,
    })),
  )
  return { written: changes.length, alreadyThere: sound.length - changes.length, changes }
}

function changeOf(row: number, group: GroupRow, before: Standing | undefined): ImportChange[] {
  if (before === undefined) return [{ row, isNew: true, columns: [] }]
  const { name, place, facilitator } = group
  const columns = [
    ...(name === before.name ? [] : ['name']),
    ...(place === before.place ? [] : ['place']),
    ...(facilitator === undefined || facilitator.msisdn === before.facilitator ? [] : ['facilitator']),
  ]
  return columns.length === 0 ? [] : [{ row, isNew: false, columns }]
}
