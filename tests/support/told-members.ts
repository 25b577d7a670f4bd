// Sends what waits as the sender would, without a provider, and says who was told what.
import type { Db } from '../../src/db.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import type { MessageStatus } from '../../src/outbound/status.ts'
import { applyTransitions } from '../../src/outbound/transitions.ts'

const i18n = loadI18n('locales')

export interface Outcome {
  memberId: string
  template: string
  /** The text that left, or why none did. */
  said: string
}

/** Decides and "sends" every message that is due, in the order in which they were written; each ends in `reached`. */
export async function sendDue(
  db: Db,
  programmeId: string,
  now: Date,
  reached: Extract<MessageStatus, 'submitted' | 'delivered' | 'unknown'> = 'delivered',
): Promise<Outcome[]> {
  const { rows } = await db.pool.query<{ id: string; memberId: string; template: string }>(
    `select id, member_id as "memberId", template from messages
      where programme_id = $1 and status = 'created' and not_before <= $2 order by created_at, id`,
    [programmeId, now],
  )
  const ids = rows.map(({ id }) => id)
  const move = (
    to: MessageStatus,
    source: 'relay' | 'sender' | 'delivery_report',
    moved: readonly string[],
  ) =>
    applyTransitions(
      db.pool,
      now,
      moved.map((messageId) => ({ messageId, to, source })),
    )
  await move('queued', 'relay', ids)
  await move('claimed', 'sender', ids)
  const decisions = await createDecider({ db, i18n })(ids, now)
  const sent: string[] = []
  for (const decision of decisions) {
    const { messageId } = decision
    if (decision.action === 'send') {
      const { phoneId, language, text, segments, factsAt, factsSnapshot } = decision
      const set = { phoneId, language, text, segments, factsAt, factsSnapshot }
      await applyTransitions(db.pool, now, [{ messageId, to: 'submitting', source: 'sender', set }])
      sent.push(messageId)
    } else if (decision.action === 'defer') {
      const set = { notBefore: decision.notBefore }
      await applyTransitions(db.pool, now, [{ messageId, to: 'created', source: 'sender', set }])
    } else {
      const to = { suppress: 'suppressed', cancel: 'cancelled', expire: 'expired', fail: 'failed' } as const
      const { reason } = decision
      await applyTransitions(db.pool, now, [{ messageId, to: to[decision.action], source: 'sender', reason }])
    }
  }
  await move(reached === 'unknown' ? 'unknown' : 'submitted', 'sender', sent)
  if (reached === 'delivered') await move('delivered', 'delivery_report', sent)
  const byId = new Map(rows.map((row) => [row.id, row]))
  return decisions.map((decision) => ({
    memberId: byId.get(decision.messageId)?.memberId ?? '',
    template: byId.get(decision.messageId)?.template ?? '',
    said: decision.action === 'send' ? decision.text : decision.reason,
  }))
}
