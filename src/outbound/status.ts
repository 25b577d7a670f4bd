// The ladder of an outbound message: which status may follow which, and who may say so. Pure.
// created -> queued -> claimed -> submitting -> submitted -> sent -> delivered; `unknown` is quarantine, never a reason to send again.

export const messageStatuses = [
  'created',
  'queued',
  'claimed',
  'submitting',
  'submitted',
  'sent',
  'delivered',
  'suppressed',
  'cancelled',
  'expired',
  'failed',
  'undelivered',
  'rejected',
  'unknown',
] as const
export type MessageStatus = (typeof messageStatuses)[number]

export const lanes = ['urgent', 'planned', 'bulk'] as const
export type Lane = (typeof lanes)[number]

export const transitionSources = [
  'relay',
  'sender',
  'delivery_report',
  'planner',
  'events',
  'inbound',
  'operator',
  'restore',
] as const
export type TransitionSource = (typeof transitionSources)[number]

/** A report can only lift a message in this order, so that any order and any repetition of reports ends in the same status. */
const reportOrder: readonly MessageStatus[] = [
  'unknown',
  'submitted',
  'sent',
  'rejected',
  'undelivered',
  'delivered',
]

/** The statuses that a delivery report may name. */
export const reportedStatuses = ['sent', 'rejected', 'undelivered', 'delivered'] as const
export type ReportedStatus = (typeof reportedStatuses)[number]

type Moves = Partial<Record<MessageStatus, readonly MessageStatus[]>>

const reportMoves: Moves = {
  ...Object.fromEntries(
    reportOrder.map((from, rank) => [from, reportedStatuses.filter((to) => reportOrder.indexOf(to) > rank)]),
  ),
  // The handset had it after all: a late "delivered" wins over every way of having given up.
  failed: ['delivered'],
  expired: ['delivered'],
}

/** Facts and people may stop a message only while no provider call can have begun. */
const stopMoves: Moves = {
  created: ['suppressed', 'cancelled', 'expired'],
  queued: ['suppressed', 'cancelled', 'expired'],
  claimed: ['suppressed', 'cancelled', 'expired'],
}

const movesBySource: Record<TransitionSource, Moves> = {
  relay: {
    created: ['queued'],
    // Under a new batch, when its job was lost.
    queued: ['queued', 'created'],
    claimed: ['queued', 'created'],
    submitting: ['unknown'],
    // No report came in time: given up, perhaps sent once more as another message.
    unknown: ['failed'],
  },
  sender: {
    queued: ['claimed', 'created'],
    // `claimed` may be taken again after a crash: nothing has left yet.
    claimed: ['claimed', 'submitting', 'created', 'suppressed', 'cancelled', 'expired', 'failed'],
    // Back to `created` only when the provider surely took nothing.
    submitting: ['submitted', 'failed', 'rejected', 'unknown', 'created'],
    // The answer came after the relay had given the call up.
    unknown: ['submitted', 'rejected'],
  },
  delivery_report: reportMoves,
  planner: stopMoves,
  events: stopMoves,
  inbound: stopMoves,
  // A restored database believes unsent what the network reports as sent.
  restore: { created: reportedStatuses },
  operator: { ...stopMoves, unknown: ['failed', 'delivered'] },
}

/** Whether `source` may move a message from one status to the other. */
export function canMove(source: TransitionSource, from: MessageStatus, to: MessageStatus): boolean {
  return movesBySource[source][from]?.includes(to) ?? false
}

/** Every allowed move as "source from to"; the database checks the same list. */
export const allowedMoves: readonly string[] = transitionSources.flatMap((source) =>
  messageStatuses.flatMap((from) =>
    messageStatuses.filter((to) => canMove(source, from, to)).map((to) => `${source} ${from} ${to}`),
  ),
)

/** The status after someone asked for a move: the new one if the ladder allows it, else the old one. */
export function statusAfter(source: TransitionSource, from: MessageStatus, to: MessageStatus): MessageStatus {
  return canMove(source, from, to) ? to : from
}

/** Nothing more is done for a message then; only a late "delivered" may still change it. */
export const finalStatuses = [
  'delivered',
  'suppressed',
  'cancelled',
  'expired',
  'failed',
  'undelivered',
  'rejected',
] as const satisfies readonly MessageStatus[]

export function isFinal(status: MessageStatus): boolean {
  return finalStatuses.some((final) => final === status)
}
