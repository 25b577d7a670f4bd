// `tama seed`: demo programmes in a database that has no other.
import { StartError } from '../errors.ts'
import { demoProgrammes, type Register, wholeNumber, withRuntime } from './command.ts'

export const registerSeed: Register = (cli) => {
  cli
    .command('seed', 'Make up a demo programme in a database that has no real one')
    .option('--programme <name>', 'casamance, haiti, belgium, france, quebec, or all', {
      default: 'casamance',
    })
    .option('--members <count>', 'How many members [1000 in casamance, else 200]')
    .option('--seed <number>', 'The same number makes the same data', { default: 1 })
    .action(async (options: { programme: unknown; members?: unknown; seed: unknown }) => {
      const asked = options.members
      const members = asked === undefined ? undefined : wholeNumber('--members', asked, 40, 1_000_000)
      const seed = wholeNumber('--seed', options.seed, 0, 2 ** 31)
      const programmes = await demoProgrammes(options.programme)
      const { seedDemo } = await import('../demo.ts')
      await withRuntime(async (runtime) => {
        if (runtime.config.production)
          throw new StartError('Production takes no demo data', ['NODE_ENV is production'])
        const made = await seedDemo(runtime, { programmes, members, seed })
        console.log(`Made up ${made} members.`)
      })
    })
}
