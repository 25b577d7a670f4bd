// In: what PostgreSQL raised while the ledger was written. Out: the RequestError that says it to the poster.
// The only place that knows our SQLSTATEs; must never repeat the database's own message, which quotes data.
import { RequestError, type RequestErrorCode } from '../errors.ts'

const bySqlState: Readonly<Record<string, RequestErrorCode>> = {
  TL001: 'entry.unbalanced',
  TL002: 'entry.currency_mix',
  TL004: 'entry.account_closed',
  TL005: 'entry.decimals',
  TL007: 'entry.reversal_invalid',
  TL008: 'entry.unbalanced',
  TL009: 'entry.account_unknown',
  TL010: 'entry.reversal_invalid',
  // numeric(20, 4) overflow: more than 16 digits before the point.
  '22003': 'request.field_invalid',
  // Two posters took the same references in a different order; PostgreSQL gave one of them up.
  '40P01': 'entry.reference_concurrent',
  '40001': 'entry.reference_concurrent',
}

const byConstraint: Readonly<Record<string, RequestErrorCode>> = {
  entries_reverses_id_key: 'entry.already_reversed',
  loans_programme_id_number_key: 'loan.number_taken',
  loans_account_id_key: 'loan.number_taken',
  loans_member_id_fkey: 'member.unknown',
  accounts_member_id_fkey: 'member.unknown',
  instalments_amounts_not_negative: 'loan.schedule_invalid',
  postings_amount_not_zero: 'request.field_invalid',
}

/** The RequestError for a refusal of the ledger's tables; anything else comes back as it was, for example a lost connection. */
export function refusalOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('code' in error)) return error
  const constraint = 'constraint' in error ? String(error.constraint) : ''
  // A member of another programme is nobody here: her id was replaced by null.
  if (error.code === '23502' && 'table' in error && error.table === 'loans')
    return new RequestError('member.unknown', { cause: error })
  const code = byConstraint[constraint] ?? bySqlState[String(error.code)]
  return code === undefined ? error : new RequestError(code, { cause: error })
}

/** Runs ledger SQL so that a refusal surfaces as a RequestError. The transaction is lost then: roll it back. */
export async function refusing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw refusalOf(error)
  }
}
