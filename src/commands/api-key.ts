// `tama api-key PROGRAMME NAME`: a key for the HTTP API, shown once.
import { createApiKey } from '../http/keys.ts'
import { programmeByCode, type Register, withRuntime } from './command.ts'

export const registerApiKey: Register = (cli) => {
  cli
    .command('api-key <programme> <name>', 'Make a key for the HTTP API and show it once')
    .action(async (code: string, name: string) => {
      await withRuntime(async (runtime) => {
        const programme = await programmeByCode(runtime, String(code))
        console.log(await createApiKey(runtime.db, programme.id, String(name)))
      })
    })
}
