// `tama verify audit|messages`: what is stored, held against what it must follow from. Exit 1 names what does not.
import { type AuditAnchor, type AuditFault, houseChain, verifyAudit } from '../audit.ts'
import { type Register, UsageError, withRuntime } from './command.ts'
import type { PeriodOptions } from './verify-messages.ts'

export const registerVerify: Register = (cli) => {
  cli
    .command(
      'verify <what>',
      'audit: walk the audit log and name the first row that is not as written; messages: derive what was told in a period from the ledger again',
    )
    .option(
      '--anchor <anchor>',
      'A line that an earlier run printed and that was kept elsewhere; may be given often',
    )
    .option('--programme <code>', 'messages: the programme')
    .option('--from <date>', 'messages: the first day, for example 2026-11-01')
    .option('--until <date>', 'messages: the last day')
    .action(async (what: string, options: { anchor?: unknown } & PeriodOptions) => {
      if (what === 'messages') {
        const { verifyPeriod } = await import('./verify-messages.ts')
        return await verifyPeriod(options)
      }
      if (what !== 'audit') throw new UsageError(`"verify ${what}" is unknown: audit, messages.`)
      const given = options.anchor === undefined ? [] : [options.anchor].flat()
      await verifyAuditLog(given.map((anchor) => readAnchor(String(anchor))))
    })
}

const meaning: Record<AuditFault['what'], string> = {
  missing: 'is missing',
  changed: 'was changed, or the row before it was',
  unlinked: 'was written past the chain',
  tail_cut: 'and what follows it is missing',
  not_the_anchor: 'is not the row that the given anchor names: the log was rewritten',
}

async function verifyAuditLog(known: readonly AuditAnchor[]): Promise<void> {
  await withRuntime(async ({ db }) => {
    const report = await db.transaction(async (tx) => {
      await tx.query('set transaction isolation level repeatable read, read only')
      return verifyAudit(tx, known)
    })
    for (const { programmeId, position, what } of report.faults)
      console.error(`Chain ${chainName(programmeId)}: row ${position} ${meaning[what]}.`)
    console.log(`${report.rows} rows, ${report.faults.length} faults.`)
    if (report.faults.length > 0) process.exitCode = 1
    if (report.anchors.length > 0) console.log('Keep these anchors outside the database:')
    for (const { programmeId, position, hash } of report.anchors)
      console.log(`${chainName(programmeId)}:${position}:${hash}`)
  })
}

const chainName = (programmeId: string) => (programmeId === houseChain ? 'house' : programmeId)

function readAnchor(text: string): AuditAnchor {
  const [, chain = '', position = '', hash = ''] =
    /^([0-9a-f-]{36}|house):(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (hash === '')
    throw new UsageError('An anchor looks like CHAIN:POSITION:HASH, as "tama verify audit" prints it.')
  return { programmeId: chain === 'house' ? houseChain : chain, position: Number(position), hash }
}
