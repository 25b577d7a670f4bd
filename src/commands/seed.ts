// `tama seed`: a demo programme in an empty database.
import { StartError } from '../errors.ts'
import { type Register, wholeNumber, withRuntime } from './command.ts'

export const registerSeed: Register = (cli) => {
  cli
    .command('seed', 'Make up a demo programme in an empty database')
    .option('--members <count>', 'How many members', { default: 1_000 })
    .option('--seed <number>', 'The same number makes the same data', { default: 1 })
    .action(async (options: { members: unknown; seed: unknown }) => {
      const members = wholeNumber('--members', options.members, 40, 1_000_000)
      const seed = wholeNumber('--seed', options.seed, 0, 2 ** 31)
      const { seedDemo } = await import('../demo.ts')
      const { createProgress } = await import('../progress.ts')
      await withRuntime(async (runtime) => {
        if (runtime.config.production)
          throw new StartError('Production takes no demo data', ['NODE_ENV is production'])
        await seedDemo(runtime, { members, seed, onProgress: createProgress('Members') })
        console.log(`Made up ${members} members.`)
      })
    })
}
