// `tama serve [role]`: runs until a signal drains it.
import { isRole, roles } from '../roles.ts'
import { type Register, UsageError } from './command.ts'

export const registerServe: Register = (cli) => {
  cli
    .command('serve [role]', `Run everything, or one role: ${roles.join(', ')}`)
    .action(async (role: string | undefined) => {
      if (role !== undefined && !isRole(role))
        throw new UsageError(`There is no role "${role}": ${roles.join(', ')}.`)
      const { serve } = await import('../serve.ts')
      await serve(role)
    })
}
