// `tama console-code --staff NUMBER`: who cannot get an SMS signs in to the console with a code that is handed over in person.
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

export const registerConsoleCode: Register = (cli) => {
  cli
    .command(
      'console-code',
      'A code of ten minutes to sign in to the console, for staff who cannot get the SMS',
    )
    .option('--programme <code>', 'The programme they work in')
    .option('--staff <number>', 'Their phone number')
    .example('tama console-code --programme fansoto --staff 771234567')
    .action(async (options: { programme?: unknown; staff?: unknown }) => {
      const { programme: code, staff } = options
      if (typeof code !== 'string') throw new UsageError('Name the programme: --programme CODE.')
      if (staff === undefined) throw new UsageError('Name the member of staff: --staff NUMBER.')
      const { createSignIn } = await import('../console/sign-in.ts')
      await withRuntime(async (runtime) => {
        const { db, clock, secrets } = runtime
        const programme = await programmeByCode(runtime, code)
        const signIn = createSignIn({ db, pepper: secrets.PIN_PEPPER })
        const given = await signIn.giveCode(programme, String(staff), clock.now())
        if (given === undefined) throw new UsageError('No active member of staff has this number.')
        console.log(`Code: ${given}. Good for 10 minutes and one sign-in; hand it over in person.`)
      })
    })
}
