// In: a parsed write of the API. Out: 201 with what was written, or 200 with the same body when it was there before.
// The router's transaction holds it all; nothing here is answered before it commits.
import { Decimal } from 'decimal.js'
import type { z } from 'zod'
import { recordAudit } from '../audit.ts'
import type { Clock } from '../clock.ts'
import { attempt, type Queryable } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import { loanAccountCode, openAccounts, standardAccounts } from '../ledger/accounts.ts'
import { type PostedEntry, postEntries, readEntries, reverseEntry } from '../ledger/entries.ts'
import { createLoans, disbursementOf, type NewLoan } from '../ledger/loans.ts'
import { findMemberId } from './api-reads.ts'
import type {
  Answer,
  entryAnswer,
  entrySchema,
  loanAnswer,
  loanSchema,
  reversalSchema,
} from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'

type EntryBody = z.infer<typeof entryAnswer>
type LoanBody = z.infer<typeof loanAnswer>

export async function postEntry(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  input: z.infer<typeof entrySchema>,
): Promise<Answer<EntryBody>> {
  const { description, ...rest } = input
  const entry = {
    ...rest,
    ...(description === undefined ? {} : { description }),
    postings: input.postings.map((posting) => ({ ...posting, amount: new Decimal(posting.amount) })),
  }
  return writeEntry(tx, clock, caller, async () => {
    const [posted] = await postEntries(tx, caller.programmeId, actorOf(caller), [entry])
    if (posted === undefined) throw new InvariantError('an entry was neither posted nor refused')
    return posted
  })
}

export async function postReversal(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  reverses: string,
  input: z.infer<typeof reversalSchema>,
): Promise<Answer<EntryBody>> {
  const { description, ...rest } = input
  return writeEntry(tx, clock, caller, () =>
    reverseEntry(tx, caller.programmeId, actorOf(caller), {
      ...rest,
      ...(description === undefined ? {} : { description }),
      reverses,
    }),
  )
}

async function writeEntry(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  write: () => Promise<PostedEntry>,
): Promise<Answer<EntryBody>> {
  return naming(async () => {
    const posted = await write()
    const stored = (await readEntries(tx, caller.programmeId, [posted.reference])).get(posted.reference)
    if (stored === undefined) throw new InvariantError('a posted entry cannot be read')
    const { reversedBy: _later, ...body } = stored
    if (posted.outcome !== 'posted') return { status: 200, body }
    await recordAudit(tx, {
      at: clock.now(),
      programmeId: caller.programmeId,
      actor: actorOf(caller),
      action: stored.reverses === null ? 'entry.posted' : 'reversal.posted',
      subject: `entry:${posted.id}`,
      after: { kind: stored.kind, bookedDate: stored.bookedDate },
    })
    return { status: 201, body }
  })
}

/** Opens the loan and hands it out. A number that is used answers 200 when all of it is the same, else 409. */
export async function createLoan(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  input: z.infer<typeof loanSchema>,
): Promise<Answer<LoanBody>> {
  const memberId = await findMemberId(tx, caller, input.member)
  if (memberId === undefined) throw new RequestError('member.unknown', { field: 'member' })
  const loan: NewLoan = {
    number: input.number,
    memberId,
    product: input.product,
    cycle: input.cycle,
    principal: new Decimal(input.principal),
    instalments: input.instalments.map(({ dueDate, principal, interest, fee, insurance }) => ({
      dueDate,
      principal: new Decimal(principal),
      interest: new Decimal(interest),
      fee: new Decimal(fee),
      insurance: new Decimal(insurance),
    })),
  }
  const body = bodyOf(loan, input)
  try {
    await naming(() =>
      attempt(tx, async () => {
        await openAccounts(tx, caller.programmeId, standardAccounts(caller.currency))
        await createLoans(tx, caller.programmeId, caller.currency, [loan])
        const [disbursed] = await postEntries(tx, caller.programmeId, actorOf(caller), [
          disbursementOf(loan, input.disbursedDate),
        ])
        await auditLoan(tx, clock, caller, loan, disbursed?.id)
      }),
    )
    return { status: 201, body }
  } catch (error) {
    const isTaken = error instanceof RequestError && error.code === 'loan.number_taken'
    if (!isTaken || !(await isSameLoan(tx, caller, body))) throw error
    return { status: 200, body }
  }
}

async function auditLoan(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  { number, memberId, product }: NewLoan,
  disbursementId: string | undefined,
): Promise<void> {
  const { rows } = await tx.query<{ id: string }>(
    'select id from loans where programme_id = $1 and number = $2',
    [caller.programmeId, number],
  )
  await recordAudit(tx, {
    at: clock.now(),
    programmeId: caller.programmeId,
    actor: actorOf(caller),
    action: 'loan.opened',
    subject: `loan:${rows[0]?.id}`,
    after: { member: `member:${memberId}`, product, disbursement: `entry:${disbursementId}` },
  })
}

function bodyOf(loan: NewLoan, input: z.infer<typeof loanSchema>): LoanBody {
  return {
    number: loan.number,
    member: input.member,
    product: loan.product,
    cycle: loan.cycle,
    principal: loan.principal.toFixed(),
    account: loanAccountCode(loan.number),
    disbursedDate: input.disbursedDate,
    disbursement: disbursementOf(loan, input.disbursedDate).reference,
    instalments: loan.instalments.map((instalment) => ({
      dueDate: instalment.dueDate,
      principal: instalment.principal.toFixed(),
      interest: instalment.interest.toFixed(),
      fee: instalment.fee.toFixed(),
      insurance: instalment.insurance.toFixed(),
    })),
  }
}

async function isSameLoan(tx: Queryable, caller: ApiCaller, body: LoanBody): Promise<boolean> {
  const found = await tx.query<{ stored: Omit<LoanBody, 'account' | 'disbursement'> }>(
    `select json_build_object('number', l.number, 'member', m.number, 'product', l.product, 'cycle', l.cycle,
              'principal', trim_scale(l.principal)::text, 'disbursedDate', e.booked_date,
              'instalments', (select json_agg(json_build_object('dueDate', i.due_date,
                  'principal', trim_scale(i.principal)::text, 'interest', trim_scale(i.interest)::text,
                  'fee', trim_scale(i.fee)::text, 'insurance', trim_scale(i.insurance)::text) order by i.number)
                from instalments i where i.loan_id = l.id)) as stored
       from loans l
       join members m on m.id = l.member_id
       left join entries e on e.programme_id = l.programme_id and e.reference = $3
      where l.programme_id = $1 and l.number = $2`,
    [caller.programmeId, body.number, body.disbursement],
  )
  const stored = found.rows[0]?.stored
  const { account: _account, disbursement: _disbursement, ...asked } = body
  return stored !== undefined && canonical(stored) === canonical(asked)
}

function canonical(loan: Omit<LoanBody, 'account' | 'disbursement'>): string {
  const { number, member, product, cycle, principal, disbursedDate } = loan
  const instalments = loan.instalments.map((one) => [
    one.dueDate,
    one.principal,
    one.interest,
    one.fee,
    one.insurance,
  ])
  return JSON.stringify([number, member, product, cycle, principal, disbursedDate, instalments])
}

/** The ledger names fields by their place in a batch; this batch has one member, and the caller wrote only that. */
async function naming<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof RequestError) || error.field === undefined) throw error
    throw new RequestError(error.code, {
      field: error.field.replace(/^(entries|loans)\[0\]\./, ''),
      ...(error.detail === undefined ? {} : { detail: error.detail }),
      cause: error.cause,
    })
  }
}
