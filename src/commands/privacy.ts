// `tama export member NUMBER` and `tama erase member NUMBER`: what a member may ask for.
import type { Runtime } from '../runtime.ts'
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

interface Options {
  programme?: unknown
  dryRun?: boolean
}

export const registerPrivacy: Register = (cli) => {
  cli
    .command('export <what> <number>', 'member: everything that is held on her, as one JSON document')
    .option('--programme <code>', 'The programme she belongs to')
    .action((what: string, number: string, options: Options) =>
      onMember('export', what, number, options, async (runtime, member) => {
        const { exportMember } = await import('../privacy/export.ts')
        console.log(JSON.stringify(await exportMember(runtime.db.pool, member), undefined, 2))
      }),
    )
  cli
    .command(
      'erase <what> <number>',
      'member: her name, numbers, PIN and texts, for ever; the books stay as they are',
    )
    .option('--programme <code>', 'The programme she belongs to')
    .option('--dry-run', 'Only say how many rows would go')
    .action((what: string, number: string, options: Options) =>
      onMember('erase', what, number, options, async (runtime, member) => {
        const { eraseMember } = await import('../privacy/erasure.ts')
        const dryRun = options.dryRun === true
        const forget = (phoneIds: readonly string[]) => forgetDialogues(runtime, phoneIds)
        const erased = await runtime.db.transaction((tx) =>
          eraseMember({ tx, forgetDialogues: forget }, member, { dryRun }),
        )
        const parts = Object.entries(erased).filter(([, rows]) => rows > 0)
        for (const [part, rows] of parts) console.log(`${part}: ${rows}`)
        if (parts.length === 0) console.log('Nothing is left to erase.')
        else console.log(dryRun ? 'This would go; nothing was changed.' : 'Erased.')
      }),
    )
}

async function onMember(
  command: string,
  what: string,
  number: string,
  options: Options,
  work: (
    runtime: Runtime,
    member: { programmeId: string; memberId: string; actor: string; now: Date },
  ) => Promise<void>,
): Promise<void> {
  if (what !== 'member') throw new UsageError(`There is no ${command} of "${what}": member.`)
  if (typeof options.programme !== 'string') throw new UsageError('Name the programme: --programme CODE.')
  const code = options.programme
  await withRuntime(async (runtime) => {
    const { id: programmeId } = await programmeByCode(runtime, code)
    const { rows } = await runtime.db.pool.query<{ id: string }>(
      'select id from members where programme_id = $1 and number = $2',
      [programmeId, String(number)],
    )
    const memberId = rows[0]?.id
    if (memberId === undefined) throw new UsageError('No member of this programme has this number.')
    await work(runtime, { programmeId, memberId, actor: 'operator', now: runtime.clock.now() })
  })
}

/** Dialogues live where the running processes keep them. */
async function forgetDialogues(
  { config, databaseUrl, logger }: Runtime,
  phoneIds: readonly string[],
): Promise<number> {
  const { createPostgresSessions, createRedisSessions } = await import('../ussd/session-store.ts')
  const { createPipeline } = await import('../db.ts')
  const { Redis } = await import('ioredis')
  const sessions =
    config.redisUrl === undefined
      ? createPostgresSessions(createPipeline({ url: databaseUrl, logger, name: 'sessions' }))
      : createRedisSessions(new Redis(config.redisUrl, { maxRetriesPerRequest: 3 }))
  try {
    return await sessions.forget(phoneIds)
  } finally {
    await sessions.close()
  }
}
