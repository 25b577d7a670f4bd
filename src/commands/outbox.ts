// `tama outbox`: what waits behind a pause; pause and resume by hand.
import { recordAudit } from '../audit.ts'
import { pauseOutbox, readPause, resumeOutbox, waitingBehindPause } from '../outbound/pause.ts'
import { type Register, UsageError, withRuntime } from './command.ts'

export const registerOutbox: Register = (cli) => {
  cli
    .command(
      'outbox [action]',
      'Show what waits behind a pause; "pause" after a restore, "resume" to send again',
    )
    .option('--doubtful <end>', 'resume: send or suppress what may have gone before the pause')
    .example('tama outbox resume --doubtful suppress')
    .action(async (action: string | undefined, options: Record<string, unknown>) => {
      if (action === undefined) await show()
      else if (action === 'pause') await pause()
      else if (action === 'resume') await resume(options.doubtful)
      else throw new UsageError(`"outbox ${action}" is unknown: pause, resume.`)
    })
}

async function show(): Promise<void> {
  await withRuntime(async ({ db }) => {
    const pause = await readPause(db.pool)
    if (pause === undefined) {
      console.log('The outbox is open: messages leave when they are due.')
      return
    }
    console.log(`Paused since ${pause.pausedAt.toISOString()}: ${pause.cause}. Nothing leaves.`)
    const waiting = await waitingBehindPause(db.pool)
    for (const { purpose, doubtful, count, oldest, ids } of waiting) {
      const kind = doubtful ? 'may have gone' : 'surely unsent'
      const first = `${ids.join(' ')}${count > ids.length ? ' ...' : ''}`
      console.log(`${purpose}  ${kind}  ${count}  oldest due ${oldest.toISOString()}  ${first}`)
    }
    if (waiting.length === 0) console.log('Nothing waits.')
  })
}

async function pause(): Promise<void> {
  await withRuntime(async ({ db, clock }) => {
    const at = clock.now()
    const done = await db.transaction(async (tx) => {
      if (!(await pauseOutbox(tx, at, 'operator'))) return false
      const fact = { at, actor: 'operator', action: 'outbox.paused', subject: 'outbox' }
      await recordAudit(tx, { ...fact, after: { cause: 'operator' } })
      return true
    })
    console.log(done ? 'Paused: nothing leaves until "tama outbox resume".' : 'It is paused already.')
  })
}

async function resume(doubtful: unknown): Promise<void> {
  if (doubtful !== 'send' && doubtful !== 'suppress')
    throw new UsageError('--doubtful takes send or suppress; "tama outbox" shows what it is about.')
  await withRuntime(async ({ db, clock }) => {
    const at = clock.now()
    const resumed = await resumeOutbox(db, at, doubtful, (tx, { pause, suppressed }) =>
      recordAudit(tx, {
        at,
        actor: 'operator',
        action: 'outbox.resumed',
        subject: 'outbox',
        before: { cause: pause.cause, pausedAt: pause.pausedAt },
        after: { doubtful, suppressed: suppressed.length },
      }),
    )
    if (resumed === undefined) console.log('It is not paused.')
    else console.log(`Messages leave again; ${resumed.suppressed.length} suppressed.`)
  })
}
