// `tama serve [role]`: runs until a signal drains it.
import { isRole, roles, serve } from '../serve.ts'
import { type Register, UsageError } from './command.ts'

export const registerServe: Register = (cli) => {
  cli
    .command('serve [role]', `Run everything, or one role: ${roles.join(', ')}`)
    .action(async (role: string | undefined) => {
      if (role !== undefined && !isRole(role))
        throw new UsageError(`There is no role "${role}": ${roles.join(', ')}.`)
      await serve(role)
    })
}
