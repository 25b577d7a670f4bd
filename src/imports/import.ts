// In: a CSV file of groups, members, loans, schedules, entries or meetings. Out: all of it written in one transaction, or nothing and every fault with its line.
// Must never write a row twice, lose one, or repeat a field's value in a report or a log.
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type pg from 'pg'
import { recordAudit } from '../audit.ts'
import { localParts } from '../calendar.ts'
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { RequestError } from '../errors.ts'
import { lastBookableDay } from '../ledger/entries.ts'
import type { Logger } from '../logger.ts'
import { type CsvRow, readTable } from './csv.ts'
import { entriesKind } from './entries.ts'
import {
  createFaultList,
  type FaultList,
  type ImportFault,
  type ImportFaultCode,
  importFaults,
} from './faults.ts'
import type { ImportProgramme } from './fields.ts'
import { groupsKind } from './group-rows.ts'
import type { ImportChange, ImportKind, ImportKindName, Numbered, Written } from './kind.ts'
import { loansKind } from './loans.ts'
import { meetingsKind } from './meetings.ts'
import { membersKind } from './members.ts'
import { schedulesKind } from './schedules.ts'
import { withoutTelling } from './told.ts'

export interface ImportReport {
  /** Lines read below the header. */
  rows: number
  /** Members, loans, entries, meetings or calendars written; what a dry run would have written. 0 when there are faults. */
  written: number
  alreadyThere: number
  /** The first of what is written, or would be, line by line, where its kind can say. */
  changes: ImportChange[]
  /** The first 1,000, in the order of the file. */
  faults: ImportFault[]
  faultsTotal: number
}

export interface ImportOptions {
  db: Db
  clock: Clock
  logger: Logger
  programme: ImportProgramme
  kind: ImportKindName
  /** Path of the file. */
  file: string
  /** Who hands it in, for the audit log. */
  actor: string
  /** Does everything, then takes it back [false]. */
  dryRun?: boolean
  /** Books what is imported as already told, for old data: nobody gets a receipt [false]. */
  silent?: boolean
  /** In bytes of the file. */
  onProgress?: (bytesRead: number, bytesTotal: number) => void
}

/** Rows that go to the database together. */
const batchRowsMax = 2_000
/** Rows checked in one turn of the event loop. */
const rowsPerTurn = 25

/** Faults are in the report; it rejects only when the database is away or refuses in a way no row explains. */
export async function importFile(options: ImportOptions): Promise<ImportReport> {
  switch (options.kind) {
    case 'groups':
      return runImport(options, groupsKind(options.programme, options.clock.now()))
    case 'members':
      return runImport(
        options,
        membersKind(options.programme, localParts(options.clock.now(), options.programme.timeZone).date),
      )
    case 'loans':
      return runImport(options, loansKind(options.programme, lastBookableDay(options.clock.now())))
    case 'schedules':
      return runImport(
        options,
        schedulesKind(options.programme, localParts(options.clock.now(), options.programme.timeZone).date),
      )
    case 'entries':
      return runImport(options, entriesKind(options.programme, lastBookableDay(options.clock.now())))
    case 'meetings':
      return runImport(
        options,
        meetingsKind({
          programme: options.programme,
          now: options.clock.now(),
          by: options.actor,
          silent: options.silent === true,
        }),
      )
  }
}

type Totals = Pick<ImportReport, 'rows' | 'written' | 'alreadyThere'>

/** Lines of a preview. */
const changesMax = 100

/** Leaves the transaction without being an error. */
class TakeBack extends Error {}

async function runImport<Row, Item>(
  options: ImportOptions,
  kind: ImportKind<Row, Item>,
): Promise<ImportReport> {
  const { db, file, dryRun = false, logger } = options
  const faults = createFaultList()
  const total: Totals = { rows: 0, written: 0, alreadyThere: 0 }
  const changes: ImportChange[] = []
  const bytesTotal = await stat(file).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  )
  if (bytesTotal === undefined) {
    faults.add(0, undefined, 'file.unreadable')
  } else {
    await db
      .transaction(async (tx) => {
        const seal = createHash('sha256')
        const work = () =>
          importRows(tx, options, kind, faults, { total, changes }, { bytes: bytesTotal, seal })
        await (options.silent === true ? withoutTelling(tx, options.clock.now(), work) : work())
        if (faults.total() > 0 || dryRun) throw new TakeBack()
        if (total.written > 0) await auditImport(tx, options, total, seal.digest('hex'))
      })
      .catch((error: unknown) => {
        if (!(error instanceof TakeBack)) throw error
      })
  }
  const report = {
    rows: total.rows,
    written: faults.total() > 0 ? 0 : total.written,
    alreadyThere: total.alreadyThere,
    faultsTotal: faults.total(),
  }
  logger.info({ event: 'import.done', kind: options.kind, dryRun, ...report })
  return { ...report, changes: faults.total() > 0 ? [] : changes, faults: faults.sorted() }
}

/** One row a file: the file that is named by its hash can be held against the log later. */
function auditImport(
  tx: pg.PoolClient,
  { clock, programme, kind, silent = false, actor }: ImportOptions,
  total: Totals,
  fileSha256: string,
): Promise<void> {
  return recordAudit(tx, {
    at: clock.now(),
    programmeId: programme.id,
    actor,
    action: 'file.imported',
    subject: `programme:${programme.id}`,
    after: { kind, silent, fileSha256, ...total },
  })
}

async function* sealing(source: AsyncIterable<Uint8Array>, seal: Hash): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    seal.update(bytes)
    yield bytes
  }
}

async function importRows<Row, Item>(
  tx: pg.PoolClient,
  { file, onProgress }: ImportOptions,
  kind: ImportKind<Row, Item>,
  faults: FaultList,
  { total, changes }: { total: Totals; changes: ImportChange[] },
  whole: { bytes: number; seal: Hash },
): Promise<void> {
  const stream = createReadStream(file)
  const assembler = createAssembler(kind, faults)
  // The next rows are read and checked while the database writes these.
  let writing: Promise<void> = Promise.resolve()
  const write = async () => {
    await writing
    writing = writeBatch(tx, kind, assembler.take(), faults).then(
      ({ written, alreadyThere, changes: more = [] }) => {
        changes.push(...more.slice(0, changesMax - changes.length))
        total.written += written
        total.alreadyThere += alreadyThere
      },
    )
    // A failure is met where the batch is awaited.
    writing.catch(() => undefined)
  }
  try {
    for await (const rows of readTable(sealing(stream, whole.seal), kind.columns, faults.add)) {
      for (const row of rows) {
        total.rows += 1
        assembler.push(row)
        if (assembler.rowsWaiting() >= batchRowsMax) await write()
        // Lets the database's answers in, so that its next statement is sent while rows are still being checked.
        if (total.rows % rowsPerTurn === 0) await setImmediate()
      }
      onProgress?.(stream.bytesRead, whole.bytes)
    }
    assembler.end()
    await write()
  } finally {
    // Nothing may be under way when the transaction ends.
    await writing
  }
}

/** Collects rows into items; rows of an item that has a fault are left out together. */
function createAssembler<Row, Item>(kind: ImportKind<Row, Item>, faults: FaultList) {
  let items: Numbered<Item>[] = []
  let rowsInItems = 0
  let open: { key: string; rows: Numbered<Row>[]; sound: boolean } | undefined

  function close(): void {
    if (open === undefined) return
    const { rows, sound } = open
    open = undefined
    const line = rows[0]?.line
    if (!sound || line === undefined) return
    const item = kind.build(rows, faults.add)
    if (item === undefined) return
    items.push({ line, value: item })
    rowsInItems += rows.length
  }

  return {
    push({ line, fields }: CsvRow): void {
      const key = kind.groupBy === undefined ? undefined : fields[kind.groupBy]
      if (key === undefined || key === '' || open?.key !== key) close()
      open ??= { key: key ?? '', rows: [], sound: true }
      const parsed = kind.row.safeParse(fields)
      if (!parsed.success) {
        open.sound = false
        for (const { path, message } of parsed.error.issues)
          faults.add(line, path.length === 0 ? undefined : String(path[0]), faultCodeOf(message))
      } else if (kind.groupRowsMax !== undefined && open.rows.length >= kind.groupRowsMax.rows) {
        if (open.sound) faults.add(line, kind.groupBy, kind.groupRowsMax.fault)
        open.sound = false
      } else {
        open.rows.push({ line, value: parsed.data })
      }
    },
    end: close,
    rowsWaiting: () => rowsInItems,
    take(): Numbered<Item>[] {
      const taken = items
      items = []
      rowsInItems = 0
      return taken
    },
  }
}

const faultCodeOf = (message: string): ImportFaultCode =>
  message in importFaults ? (message as ImportFaultCode) : 'field.invalid'

/** Ledger refusals that have a fault of their own. */
const faultOfRefusal: Readonly<Record<string, ImportFaultCode>> = {
  'entry.reference_conflict': 'entry.reference_conflict',
  'entry.account_unknown': 'account.unknown',
  'entry.account_closed': 'account.closed',
  'loan.number_taken': 'loan.number_taken',
}

/**
 * Writes items under a savepoint. A refusal names one row and loses the others, so the batch is halved until every refused
 * row is found by itself.
 */
async function writeBatch<Row, Item>(
  tx: pg.PoolClient,
  kind: ImportKind<Row, Item>,
  items: readonly Numbered<Item>[],
  faults: FaultList,
): Promise<Written> {
  const first = items[0]
  if (first === undefined) return { written: 0, alreadyThere: 0 }
  const found: Parameters<FaultList['add']>[] = []
  await tx.query('savepoint batch')
  try {
    const written = await kind.write(tx, items, (...fault) => found.push(fault))
    await tx.query('release savepoint batch')
    for (const fault of found) faults.add(...fault)
    return written
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    await tx.query('rollback to savepoint batch; release savepoint batch')
    if (items.length === 1) {
      const placed = kind.refusal?.(first.value, error)
      const code = faultOfRefusal[error.code]
      if (placed !== undefined) faults.add(placed.line, placed.column, placed.code, placed.detail)
      else if (code === undefined) faults.add(first.line, undefined, 'ledger.refused', error.message)
      else faults.add(first.line, kind.groupBy, code)
      return { written: 0, alreadyThere: 0 }
    }
    const half = Math.ceil(items.length / 2)
    const left = await writeBatch(tx, kind, items.slice(0, half), faults)
    const right = await writeBatch(tx, kind, items.slice(half), faults)
    return {
      written: left.written + right.written,
      alreadyThere: left.alreadyThere + right.alreadyThere,
      changes: [...(left.changes ?? []), ...(right.changes ?? [])],
    }
  }
}
