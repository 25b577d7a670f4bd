// In: a parsed read of the API. Out: 200 with a body of exact decimals as text. Must never show a message's text.
import { z } from 'zod'
import { localParts } from '../calendar.ts'
import type { Clock } from '../clock.ts'
import { namedReads, type Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { readLoan } from '../ledger/loan-state.ts'
import { readPosition } from '../ledger/position.ts'
import { readStatement } from '../ledger/statement.ts'
import type {
  Answer,
  loanStateAnswer,
  messageAnswer,
  messagesAnswer,
  messagesQuery,
  positionAnswer,
  statementAnswer,
  statementQuery,
} from './api-schemas.ts'
import type { ApiCaller } from './keys.ts'
import { cursorOf, type ListOrder, placeOf, readPage } from './paging.ts'

export async function findMemberId(
  tx: Queryable,
  caller: ApiCaller,
  number: string,
): Promise<string | undefined> {
  const found = await tx.query<{ id: string }>(
    'select id from members where programme_id = $1 and number = $2',
    [caller.programmeId, number],
  )
  return found.rows[0]?.id
}

export async function positionOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
): Promise<Answer<z.infer<typeof positionAnswer>>> {
  const memberId = await findMemberId(tx, caller, number)
  if (memberId === undefined)
    throw new RequestError('route.unknown', { field: 'number', detail: 'no member has this number' })
  const now = clock.now()
  const position = await readPosition(namedReads(tx), memberId, now, localParts(now, caller.timeZone).date)
  const { nextMeeting: meeting, nextTraining: training } = position
  return {
    status: 200,
    body: {
      member: number,
      currency: position.currency,
      loans: position.loans.map((loan) => ({
        number: loan.number,
        product: loan.product,
        outstanding: loan.outstanding.toFixed(),
        overdue: loan.overdue.toFixed(),
        next:
          loan.next === undefined
            ? null
            : { dueDate: loan.next.dueDate, remaining: loan.next.remaining.toFixed() },
      })),
      savings: position.savings?.toFixed() ?? null,
      nextMeeting:
        meeting === undefined
          ? null
          : {
              startsAt: meeting.startsAt.toISOString(),
              place: meeting.place,
              coming: meeting.coming ?? null,
            },
      nextTraining:
        training === undefined
          ? null
          : { startsAt: training.startsAt.toISOString(), place: training.place, titles: training.titles },
      initialSessions: { done: position.initialDone, total: position.initialTotal },
    },
  }
}

export async function loanStateOf(
  tx: Queryable,
  caller: ApiCaller,
  number: string,
): Promise<Answer<z.infer<typeof loanStateAnswer>>> {
  const loan = await readLoan(tx, caller.programmeId, number)
  if (loan === undefined)
    throw new RequestError('route.unknown', { field: 'number', detail: 'no loan has this number' })
  return {
    status: 200,
    body: {
      ...loan,
      principal: loan.principal.toFixed(),
      outstanding: loan.outstanding.toFixed(),
      overpaid: loan.overpaid.toFixed(),
      unscheduled: loan.unscheduled.toFixed(),
      instalments: loan.instalments.map(({ dueDate, amount, remaining, unpaid }) => ({
        dueDate,
        amount: amount.toFixed(),
        remaining: remaining.toFixed(),
        unpaid: {
          principal: unpaid.principal.toFixed(),
          interest: unpaid.interest.toFixed(),
          fee: unpaid.fee.toFixed(),
          insurance: unpaid.insurance.toFixed(),
        },
      })),
    },
  }
}

const statementOrder: ListOrder = {
  name: 'statement',
  columns: [
    ['booked_date', 'date'],
    ['id', 'bigint'],
  ],
}

export async function statementOf(
  tx: Queryable,
  caller: ApiCaller,
  code: string,
  query: z.infer<typeof statementQuery>,
): Promise<Answer<z.infer<typeof statementAnswer>>> {
  const [bookedDate = '', postingId = ''] =
    query.cursor === undefined ? [] : placeOf(statementOrder, query.cursor)
  const statement = await readStatement(tx, caller.programmeId, code, {
    limit: query.limit,
    ...(query.cursor === undefined ? {} : { after: { bookedDate, postingId } }),
  })
  if (statement === undefined)
    throw new RequestError('route.unknown', { field: 'code', detail: 'no account has this code' })
  const { next } = statement
  return {
    status: 200,
    body: {
      account: statement.code,
      type: statement.type,
      purpose: statement.purpose,
      currency: statement.currency,
      closedAt: statement.closedAt?.toISOString() ?? null,
      balance: statement.balance.toFixed(),
      rows: statement.rows.map(({ postingId: _id, ...row }) => ({
        ...row,
        amount: row.amount.toFixed(),
        balance: row.balance.toFixed(),
      })),
      next: next === undefined ? null : cursorOf(statementOrder, [next.bookedDate, next.postingId]),
    },
  }
}

// Ids are made in the order of time.
const messageOrder: ListOrder = { name: 'messages', columns: [['s.id', 'uuid']], newestFirst: true }

type MessageBody = z.infer<typeof messageAnswer>
type MessageRow = Omit<MessageBody, 'createdAt'> & { createdAt: Date }

const messageColumns = `s.id, m.number as member, e.reference as entry, s.purpose, s.lane, s.status, s.reason, s.created_at as "createdAt",
  coalesce((select json_agg(json_build_object('from', v.from_status, 'to', v.to_status, 'source', v.source,
             'reason', v.reason, 'at', to_char(v.occurred_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
             order by v.id)
     from message_events v where v.message_id = s.id), '[]') as events`
const messageSource = `from messages s left join members m on m.id = s.member_id left join entries e on e.id = s.entry_id
  where s.programme_id = $1`

const messageBody = ({ createdAt, ...row }: MessageRow): MessageBody => ({
  ...row,
  createdAt: createdAt.toISOString(),
})

/** The messages of the programme, of a member or of an entry, newest first, each with the moves of its status. */
export async function messageStates(
  tx: Queryable,
  caller: ApiCaller,
  { member, entry, status, ...page }: z.infer<typeof messagesQuery>,
): Promise<Answer<z.infer<typeof messagesAnswer>>> {
  const memberId = member === undefined ? null : await findMemberId(tx, caller, member)
  const entryId = entry === undefined ? null : await findEntryId(tx, caller, entry)
  for (const [field, id] of Object.entries({ member: memberId, entry: entryId }))
    if (id === undefined) throw new RequestError('route.unknown', { field, detail: `no such ${field}` })
  const { rows, next } = await readPage<MessageRow>(tx, messageOrder, {
    select: messageColumns,
    from: `${messageSource} and ($2::uuid is null or s.member_id = $2) and ($3::uuid is null or s.entry_id = $3)
      and ($4::text is null or s.status = $4)`,
    values: [caller.programmeId, memberId, entryId, status ?? null],
    page,
  })
  return { status: 200, body: { messages: rows.map(messageBody), next } }
}

export async function messageState(
  tx: Queryable,
  caller: ApiCaller,
  id: string,
): Promise<Answer<MessageBody>> {
  const isId = z.guid().safeParse(id).success
  const { rows } = isId
    ? await tx.query<MessageRow>(`select ${messageColumns} ${messageSource} and s.id = $2`, [
        caller.programmeId,
        id,
      ])
    : { rows: [] }
  if (rows[0] === undefined)
    throw new RequestError('route.unknown', { field: 'id', detail: 'no message has this id' })
  return { status: 200, body: messageBody(rows[0]) }
}

async function findEntryId(tx: Queryable, caller: ApiCaller, reference: string): Promise<string | undefined> {
  const found = await tx.query<{ id: string }>(
    'select id from entries where programme_id = $1 and reference = $2',
    [caller.programmeId, reference],
  )
  return found.rows[0]?.id
}
