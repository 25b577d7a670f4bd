// `tama serve [role]`: runs until a signal drains it.
import { isRole, roles } from '../roles.ts'
import { demoProgrammes, type Register, UsageError } from './command.ts'

export const registerServe: Register = (cli) => {
  cli
    .command('serve [role]', `Run everything, or one role: ${roles.join(', ')}`)
    .option('--programme <name>', 'Demo only: casamance, haiti, belgium, france, quebec, or all')
    .example('tama serve --programme haiti')
    .action(async (role: string | undefined, options: { programme?: unknown }) => {
      if (role !== undefined && !isRole(role))
        throw new UsageError(`There is no role "${role}": ${roles.join(', ')}.`)
      const demo = options.programme === undefined ? [] : await demoProgrammes(options.programme)
      if (demo.length > 0 && role !== undefined)
        throw new UsageError('--programme chooses what the demo shows; a role alone has no demo.')
      const { serve } = await import('../serve.ts')
      await serve(role, demo)
    })
}
