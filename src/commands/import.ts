// `tama import KIND FILE`: a CSV file read all or nothing, its faults by line.
import { importKinds } from '../imports/kind.ts'
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

export const registerImport: Register = (cli) => {
  cli
    .command('import <kind> <file>', `Read a CSV file: ${importKinds.join(', ')}`)
    .option('--programme <code>', 'The programme it belongs to')
    .option('--dry-run', 'Check everything, write nothing')
    .option('--silent', 'Old data: nobody gets a message about it')
    .action(
      async (
        kind: string,
        file: string,
        options: { programme?: unknown; dryRun?: boolean; silent?: boolean },
      ) => {
        const known = importKinds.find((name) => name === kind)
        if (known === undefined)
          throw new UsageError(`There is no import of "${kind}": ${importKinds.join(', ')}.`)
        if (typeof options.programme !== 'string')
          throw new UsageError('Name the programme: --programme CODE.')
        const code = options.programme
        const { importFile } = await import('../imports/import.ts')
        const { createProgress } = await import('../progress.ts')
        await withRuntime(async (runtime) => {
          const { db, clock, logger } = runtime
          const programme = await programmeByCode(runtime, code)
          const report = await importFile({
            db,
            clock,
            logger,
            programme,
            kind: known,
            file: String(file),
            actor: 'operator',
            dryRun: options.dryRun === true,
            silent: options.silent === true,
            onProgress: createProgress('Bytes'),
          })
          for (const { row, column, message } of report.faults) {
            const place = [...(row === 0 ? [] : [`line ${row}`]), ...(column === undefined ? [] : [column])]
            console.error([place.join(', '), message].filter((part) => part !== '').join(': '))
          }
          if (options.dryRun === true)
            for (const { row, isNew, columns } of report.changes)
              console.log([`line ${row}: ${isNew ? 'new' : 'changed'}`, ...columns].join(', '))
          const verb = options.dryRun === true ? 'would be written' : 'written'
          console.log(
            `${report.rows} rows: ${report.written} ${verb}, ${report.alreadyThere} already there, ${report.faultsTotal} faults`,
          )
          if (report.faultsTotal > 0) process.exitCode = 1
        })
      },
    )
}
