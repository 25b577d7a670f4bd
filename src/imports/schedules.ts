// In: rows of instalments, consecutive rows of one loan number standing in the place of those that nobody has paid on. Out: its schedule
// changed through the ledger's own code. Must never change what was paid on, nor any sum.
import { Decimal } from 'decimal.js'
import type pg from 'pg'
import { z } from 'zod'
import type { CalendarDate } from '../calendar.ts'
import type { NewInstalment } from '../ledger/loans.ts'
import { changeSchedule } from '../ledger/reschedule.ts'
import type { AddFault } from './faults.ts'
import { date, type ImportProgramme, optionalAmount, text } from './fields.ts'
import type { ImportChange, ImportKind, Numbered, Written } from './kind.ts'
import { instalmentPlace } from './loans.ts'

const rowSchema = ({ currencyCode }: ImportProgramme) =>
  z.object({
    number: text(60),
    due_date: date,
    principal_due: optionalAmount(currencyCode),
    interest: optionalAmount(currencyCode),
    fee: optionalAmount(currencyCode),
    insurance: optionalAmount(currencyCode),
  })
type ScheduleRow = z.infer<ReturnType<typeof rowSchema>>

interface Schedule {
  number: string
  instalments: NewInstalment[]
  /** In the file, of each instalment. */
  lines: number[]
}

const zero = new Decimal(0)

/** `today` is the programme's business date. */
export function schedulesKind(
  programme: ImportProgramme,
  today: CalendarDate,
): ImportKind<ScheduleRow, Schedule> {
  const seen = new Set<string>()
  return {
    columns: {
      required: ['number', 'due_date', 'principal_due'],
      optional: ['interest', 'fee', 'insurance'],
    },
    row: rowSchema(programme),
    groupBy: 'number',
    groupRowsMax: { rows: 1_000, fault: 'loan.too_many_rows' },
    build: (rows, addFault) => {
      const [first] = rows
      if (first === undefined) return undefined
      const { number } = first.value
      if (seen.has(number)) {
        addFault(first.line, 'number', 'loan.doubled')
        return undefined
      }
      seen.add(number)
      const instalments = rows.map(({ value: row }) => ({
        dueDate: row.due_date,
        principal: row.principal_due ?? zero,
        interest: row.interest ?? zero,
        fee: row.fee ?? zero,
        insurance: row.insurance ?? zero,
      }))
      return { number, instalments, lines: rows.map(({ line }) => line) }
    },
    write: (tx, schedules, addFault) => writeSchedules(tx, programme.id, today, schedules, addFault),
    refusal: ({ lines }, { code, field = '', detail }) => {
      if (code !== 'loan.schedule_paid' && code !== 'loan.schedule_invalid') return undefined
      const { row, column } = instalmentPlace(field)
      return { line: lines[row] ?? lines[0] ?? 0, column, code, detail: detail && `Here it ${detail}.` }
    },
  }
}

async function writeSchedules(
  tx: pg.PoolClient,
  programmeId: string,
  today: CalendarDate,
  schedules: readonly Numbered<Schedule>[],
  addFault: AddFault,
): Promise<Written> {
  const changes: ImportChange[] = []
  let alreadyThere = 0
  for (const { line, value } of schedules) {
    const { number, instalments } = value
    const done = await changeSchedule(tx, { programmeId, number, instalments, today })
    if (done === undefined) addFault(line, 'number', 'loan.unknown')
    else if (done.changed) changes.push({ row: line, isNew: false, columns: [] })
    else alreadyThere += 1
  }
  return { written: changes.length, alreadyThere, changes }
}
