// `tama programme FILE`: a programme opened or brought up to date from YAML.
import { readFileSync } from 'node:fs'
import type { DescribedProgramme } from '../imports/programme.ts'
import { type Register, UsageError, withRuntime } from './command.ts'

export const registerProgramme: Register = (cli) => {
  cli
    .command('programme <file>', 'Open a programme, or bring it up to date, from a YAML file')
    .example('tama programme docs/programme.example.yaml')
    .action(async (file: string) => {
      const description = readDescription(String(file))
      const { writeProgramme } = await import('../imports/programme.ts')
      const { loadProgrammes } = await import('../members/programmes.ts')
      const { serviceCodeFaults } = await import('../ussd/dial-codes.ts')
      const { draftFaults, prove } = await import('../proof.ts')
      const { describeFault } = await import('../fault.ts')
      await withRuntime(async ({ db, clock, i18n, menus, config }) => {
        const languages = new Set(i18n.languages.keys())
        const programmes = await loadProgrammes(db)
        const textFaults = (limits: DescribedProgramme) =>
          [
            ...prove(menus, i18n, [limits]).faults,
            ...(config.production ? draftFaults(i18n, [limits]) : []),
          ].map(describeFault)
        const { code, isNew } = await writeProgramme(
          { db, languages, programmes, serviceCodeFaults, textFaults, now: clock.now() },
          description,
        )
        console.log(
          `${isNew ? 'Opened' : 'Brought up to date'}: ${code}. Running processes see it after a restart.`,
        )
      })
    })
}

function readDescription(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(`The file ${file} cannot be read.`)
  }
}
