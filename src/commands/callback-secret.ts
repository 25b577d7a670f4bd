// `tama callback-secret add|list|retire`: what a provider proves itself with in the address that it calls for one programme.
import {
  addCallbackSecret,
  listCallbackSecrets,
  retireCallbackSecret,
  type SecretOwner,
} from '../http/callback-secrets.ts'
import type { Runtime } from '../runtime.ts'
import { programmeByCode, type Register, UsageError, wholeNumber, withRuntime } from './command.ts'

const providers = ['africastalking']

export const registerCallbackSecret: Register = (cli) => {
  cli
    .command('callback-secret <what> [id]', 'add, list or retire what a provider proves itself with')
    .option('--programme <code>', 'The programme whose callbacks it opens')
    .option('--provider <name>', `One of: ${providers.join(', ')}`, { default: 'africastalking' })
    .option('--after <hours>', 'retire: how much longer it is valid', { default: 0 })
    .action(
      async (
        what: string,
        id: string | undefined,
        options: { programme?: unknown; provider: unknown; after: unknown },
      ) => {
        if (typeof options.programme !== 'string')
          throw new UsageError('Name the programme: --programme CODE.')
        const code = options.programme
        const provider = String(options.provider)
        if (!providers.includes(provider))
          throw new UsageError(`There is no provider "${provider}": ${providers.join(', ')}.`)
        const hours = wholeNumber('--after', options.after, 0, 24 * 365)
        await withRuntime(async (runtime) => {
          const owner = { programmeId: (await programmeByCode(runtime, code)).id, provider }
          if (what === 'add') await add(runtime, owner)
          else if (what === 'list') await list(runtime, owner)
          else if (what === 'retire') await retire(runtime, owner, id, hours)
          else throw new UsageError(`"callback-secret ${what}" is unknown: add, list, retire.`)
        })
      },
    )
}

async function add({ db, clock }: Runtime, owner: SecretOwner): Promise<void> {
  const secret = await addCallbackSecret(db, owner, clock.now())
  if (secret === undefined)
    throw new UsageError('Two secrets are valid already: retire the one that is no longer used.')
  console.log(secret)
  console.error(
    `Shown this once. Give the provider the addresses /callbacks/${owner.provider}/<secret>/ussd and so on.`,
  )
}

async function list({ db, clock }: Runtime, owner: SecretOwner): Promise<void> {
  const now = clock.now()
  const secrets = await listCallbackSecrets(db.pool, owner)
  for (const { id, since, until } of secrets) {
    const end = until === null ? 'valid' : `${until > now ? 'valid until' : 'retired'} ${until.toISOString()}`
    console.log(`${id}  since ${since.toISOString()}  ${end}`)
  }
  if (secrets.length === 0) console.log('None.')
}

async function retire(
  { db, clock }: Runtime,
  owner: SecretOwner,
  id: string | undefined,
  hours: number,
): Promise<void> {
  if (id === undefined) throw new UsageError('Name the secret by its id: "tama callback-secret list" has it.')
  const now = clock.now()
  const until = new Date(now.getTime() + hours * 3_600_000)
  if (!(await retireCallbackSecret(db, owner, id, now, until)))
    throw new UsageError(`No valid secret of this programme has the id "${id}".`)
  console.log(`Not valid from ${until.toISOString()} on; every process knows within 5 seconds.`)
}
