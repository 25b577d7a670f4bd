// `tama api-key add|list|revoke`: keys for the HTTP API of a programme.
import { createApiKey, isScope, listApiKeys, revokeApiKey, type Scope, scopes } from '../http/keys.ts'
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

export const registerApiKey: Register = (cli) => {
  cli
    .command('api-key <what> [name]', 'add NAME, list or revoke ID: keys for the HTTP API')
    .option('--programme <code>', 'The programme it belongs to')
    .option('--scopes <words>', `add: what it may do, with commas between: ${scopes.join(', ')}`, {
      default: 'read',
    })
    .example('tama api-key add "back office" --programme fansoto --scopes read,entries')
    .action(
      async (what: string, name: string | undefined, options: { programme?: unknown; scopes: unknown }) => {
        if (typeof options.programme !== 'string')
          throw new UsageError('Name the programme: --programme CODE.')
        const code = options.programme
        const allowed = scopesIn(String(options.scopes))
        await withRuntime(async (runtime) => {
          const { db, clock } = runtime
          const { id } = await programmeByCode(runtime, code)
          if (what === 'list') {
            for (const key of await listApiKeys(db.pool, id))
              console.log(
                [
                  key.id,
                  key.name,
                  key.scopes.join(','),
                  `last used ${key.lastUsedOn ?? 'never'}`,
                  ...(key.revokedAt === null ? [] : [`revoked ${key.revokedAt.toISOString()}`]),
                ].join('  '),
              )
          } else if (what === 'add') {
            if (name === undefined) throw new UsageError('Name the key: who will use it.')
            console.log(await createApiKey(db, id, String(name), allowed, clock.now()))
          } else if (what === 'revoke') {
            if (!(await revokeApiKey(db, id, String(name), clock.now())))
              throw new UsageError(`No key of this programme has the id "${String(name)}", or it is revoked.`)
            console.log('Revoked.')
          } else throw new UsageError(`"api-key ${what}" is unknown: add, list, revoke.`)
        })
      },
    )
}

function scopesIn(text: string): Scope[] {
  const words = text.split(',').map((word) => word.trim())
  return words.map((word) => {
    if (!isScope(word)) throw new UsageError(`There is no scope "${word}": ${scopes.join(', ')}.`)
    return word
  })
}
