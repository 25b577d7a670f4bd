// `tama messages`: messages by status, and the unknown ones settled by hand.
import { recordAudit } from '../audit.ts'
import { maskMsisdn } from '../msisdn.ts'
import { messageStatuses } from '../outbound/status.ts'
import { settleByHand, settlements } from '../outbound/unknown.ts'
import type { Runtime } from '../runtime.ts'
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

const listMax = 1_000
// No digits: no number, amount or code can stand in the history.
const reasonPattern = /^[\p{L}][\p{L} ,.'-]{2,78}$/u
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const registerMessages: Register = (cli) => {
  cli
    .command('messages [action] [id]', 'List messages of a status; "settle ID" ends an unknown one by hand')
    .option('--status <status>', 'Which ones to list', { default: 'unknown' })
    .option('--programme <code>', 'Only those of one programme')
    .option('--as <end>', `settle: ${settlements.join(', ')}`)
    .option('--reason <words>', 'settle: why, in words without digits and names')
    .example('tama messages --status unknown')
    .example('tama messages settle ID --as delivered --reason "she showed it"')
    .action(async (action: string | undefined, id: string | undefined, options: Record<string, unknown>) => {
      if (action === undefined) await withRuntime((runtime) => list(runtime, options))
      else if (action === 'settle') await settle(id, options)
      else throw new UsageError(`"messages ${action}" is unknown: settle.`)
    })
}

async function list(runtime: Runtime, options: Record<string, unknown>): Promise<void> {
  const status = messageStatuses.find((known) => known === options.status)
  if (status === undefined) throw new UsageError(`--status is one of: ${messageStatuses.join(', ')}.`)
  const programme =
    typeof options.programme === 'string' ? await programmeByCode(runtime, options.programme) : undefined
  const { rows } = await runtime.db.pool.query<{
    id: string
    lane: string
    template: string
    since: Date
    msisdn: string | null
    reason: string | null
  }>(
    `select m.id, m.lane, m.template, m.updated_at as since, p.msisdn, m.reason
       from messages m left join phones p on p.id = m.phone_id
      where m.status = $1 and ($2::uuid is null or m.programme_id = $2) order by m.updated_at, m.id limit $3`,
    [status, programme?.id ?? null, listMax],
  )
  for (const { id, lane, template, since, msisdn, reason } of rows) {
    const number = msisdn === null ? '-' : maskMsisdn(msisdn)
    console.log([id, lane, template, since.toISOString(), number, reason ?? '-'].join('  '))
  }
  console.log(`${rows.length}${rows.length === listMax ? ' or more' : ''} messages are "${status}".`)
}

async function settle(id: string | undefined, options: Record<string, unknown>): Promise<void> {
  const messageId = id?.toLowerCase()
  if (messageId === undefined || !idPattern.test(messageId))
    throw new UsageError('Name the message by its id, as "tama messages" lists it.')
  const as = settlements.find((known) => known === options.as)
  if (as === undefined) throw new UsageError(`--as is one of: ${settlements.join(', ')}.`)
  const reason = typeof options.reason === 'string' ? options.reason.trim() : ''
  if (!reasonPattern.test(reason))
    throw new UsageError('--reason takes 3 to 79 letters and spaces, no digits and no names.')
  await withRuntime(async ({ db, clock }) => {
    const now = clock.now()
    const outcome = await db.transaction(async (tx) => {
      const settled = await settleByHand(tx, now, { messageId, as, reason })
      if (settled.outcome !== 'settled') return settled.outcome
      const { rows } = await tx.query<{ programmeId: string; status: string }>(
        'select programme_id as "programmeId", status from messages where id = $1',
        [messageId],
      )
      await recordAudit(tx, {
        at: now,
        ...(rows[0] === undefined ? {} : { programmeId: rows[0].programmeId }),
        actor: 'operator',
        action: 'message.settled',
        subject: `message:${messageId}`,
        before: { status: 'unknown' },
        after: { status: rows[0]?.status, as, reason },
      })
      return settled.outcome
    })
    if (outcome === 'settled') console.log(`Settled as ${as}.`)
    else {
      console.error(
        outcome === 'already_resent'
          ? 'This message is itself the second try: there is no third. Settle it as delivered or failed.'
          : 'There is no message of unknown outcome with this id.',
      )
      process.exitCode = 1
    }
  })
}
