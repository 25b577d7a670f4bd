// `tama notices`: what staff send to groups: list, one with what became of it, and a stop.

import type { Queryable } from '../db.ts'
import { type Notice, readNotice, stopNotice } from '../notices/notices.ts'
import { listNotices, noticeProgress, type StateCounts } from '../notices/progress.ts'
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

const listed = 20

export const registerNotices: Register = (cli) => {
  cli
    .command('notices [action] [id]', 'The newest notices of a programme; show ID, or stop ID half way')
    .option('--programme <code>', 'The programme that sends them')
    .example('tama notices stop 0199f0a2-... --programme fansoto')
    .action(async (action: string | undefined, id: string | undefined, options: { programme?: unknown }) => {
      if (typeof options.programme !== 'string') throw new UsageError('Name the programme: --programme CODE.')
      if (action !== undefined && action !== 'show' && action !== 'stop')
        throw new UsageError(`"notices ${action}" is unknown: show, stop.`)
      if (action !== undefined && id === undefined)
        throw new UsageError('Name the notice: its id stands in "tama notices".')
      const code = options.programme
      await withRuntime(async (runtime) => {
        const { db, clock } = runtime
        const { id: programmeId } = await programmeByCode(runtime, code)
        if (id === undefined) await list(db.pool, programmeId)
        else {
          const notice = await noticeOf(db.pool, programmeId, id)
          if (action === 'show') await show(db.pool, notice)
          else {
            const done = await db.transaction((tx) => stopNotice(tx, notice.id, 'operator', clock.now()))
            if (done.outcome === 'refused')
              throw new UsageError(done.faults?.[0]?.detail ?? 'The notice cannot be stopped.')
            console.log(`Stopped: ${done.cancelled} never leave, ${done.left} had left.`)
          }
        }
      })
    })
}

async function noticeOf(db: Queryable, programmeId: string, id: string): Promise<Notice> {
  const notice = await readNotice(db, String(id))
  if (notice === undefined || notice.programmeId !== programmeId)
    throw new UsageError(`No notice of this programme has the id "${String(id)}".`)
  return notice
}

async function list(db: Queryable, programmeId: string): Promise<void> {
  const notices = await listNotices(db, { programmeId, limit: listed })
  for (const { id, status, purpose, template, createdAt, counts } of notices)
    console.log(
      [id, createdAt.toISOString(), status, purpose, template ?? 'free', inWords(counts)].join('  '),
    )
  if (notices.length === 0) console.log('There are none.')
}

async function show(db: Queryable, { id, status, purpose, channel }: Notice): Promise<void> {
  const { total, byState, groups } = await noticeProgress(db, id)
  console.log(`${id}  ${status}  ${purpose}  ${channel}  ${total} members: ${inWords(byState)}`)
  for (const { name, counts } of groups) console.log(`${name ?? 'no group'}: ${inWords(counts)}`)
}

function inWords(counts: StateCounts): string {
  const words = Object.entries(counts).flatMap(([state, count]) => (count > 0 ? [`${state} ${count}`] : []))
  return words.length === 0 ? 'nobody yet' : words.join(', ')
}
