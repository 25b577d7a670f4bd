// In: which loans the back office asks for, and how the rest of a schedule is to change. Out: loans with what is outstanding.
// Must never change what is charged or paid: a schedule only says when.
import { Decimal } from 'decimal.js'
import { z } from 'zod'
import { recordAudit } from '../audit.ts'
import { localParts } from '../calendar.ts'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import { loanProducts } from '../ledger/loans.ts'
import { changeSchedule } from '../ledger/reschedule.ts'
import { findMemberId, loanStateOf } from './api-reads.ts'
import { type Answer, instalmentsSchema, type loanStateAnswer, printable } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { type ListOrder, nextAnswer, pageQuery, readPage } from './paging.ts'

export const memberLoansQuery = z.strictObject(pageQuery)
export const loansQuery = z.strictObject({
  member: printable(60).optional().describe('Member number'),
  ...pageQuery,
})

export const loansAnswer = z.object({
  loans: z.array(
    z.object({
      number: z.string(),
      member: z.string(),
      product: z.enum(loanProducts),
      cycle: z.int(),
      principal: z.string().describe('Exact decimal as text'),
      outstanding: z.string().describe('Below zero when over-paid'),
      currency: z.string(),
      instalments: z.int(),
      lastDueDate: z.string().nullable(),
    }),
  ),
  next: nextAnswer,
})

export const scheduleSchema = z.strictObject({
  instalments: instalmentsSchema.describe(
    'All instalments from the first on that nothing is paid of, in due order; those before stay. Their parts sum to what they replace',
  ),
})

type LoanRow = z.infer<typeof loansAnswer>['loans'][number]

const order: ListOrder = { name: 'loans', columns: [['l.number', 'text']] }

/** Of one member, or of all. */
export async function loansOf(
  tx: Queryable,
  caller: ApiCaller,
  query: z.infer<typeof loansQuery>,
  /** What named the member, when she is unknown. */
  field = 'member',
): Promise<Answer<z.infer<typeof loansAnswer>>> {
  const memberId = query.member === undefined ? null : await findMemberId(tx, caller, query.member)
  if (memberId === undefined)
    throw new RequestError('route.unknown', { field, detail: 'no member has this number' })
  const { rows, next } = await readPage<LoanRow>(tx, order, {
    select: `l.number, m.number as member, l.product, l.cycle, trim_scale(l.principal)::text as principal,
      trim_scale((select coalesce(sum(amount), 0) from postings where account_id = l.account_id))::text as outstanding,
      a.currency_code as currency, (select count(*)::int from instalments i where i.loan_id = l.id) as instalments,
      (select max(due_date) from instalments i where i.loan_id = l.id) as "lastDueDate"`,
    from: `from loans l join members m on m.id = l.member_id join accounts a on a.id = l.account_id
      where l.programme_id = $1 and ($2::uuid is null or l.member_id = $2)`,
    values: [caller.programmeId, memberId],
    page: query,
  })
  return { status: 200, body: { loans: rows, next } }
}

/** 201 when the schedule changed, 200 when it was so already. */
export async function putSchedule(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
  { instalments }: z.infer<typeof scheduleSchema>,
): Promise<Answer<z.infer<typeof loanStateAnswer>>> {
  const now = clock.now()
  const change = await changeSchedule(tx, {
    programmeId: caller.programmeId,
    number,
    instalments: instalments.map(({ dueDate, principal, interest, fee, insurance }) => ({
      dueDate,
      principal: new Decimal(principal),
      interest: new Decimal(interest),
      fee: new Decimal(fee),
      insurance: new Decimal(insurance),
    })),
    today: localParts(now, caller.timeZone).date,
  })
  if (change === undefined)
    throw new RequestError('route.unknown', { field: 'number', detail: 'no loan has this number' })
  if (change.changed)
    await recordAudit(tx, {
      at: now,
      programmeId: caller.programmeId,
      actor: actorOf(caller),
      action: 'loan.rescheduled',
      subject: `loan:${change.loanId}`,
      before: { kept: change.kept, ...change.before },
      after: { kept: change.kept, ...change.after },
    })
  const { body } = await loanStateOf(tx, caller, number)
  if (body.number !== number) throw new InvariantError('another loan was read than was changed')
  return { status: change.changed ? 201 : 200, body }
}
