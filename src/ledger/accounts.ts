// In: accounts by code. Out: their ids; existing equal ones are kept, so opening is repeatable.
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { refusing } from './refusals.ts'

export type AccountType = 'asset' | 'liability' | 'equity' | 'income' | 'expense'
export type AccountPurpose =
  | 'cash'
  | 'loan'
  | 'savings'
  | 'interest'
  | 'fee'
  | 'insurance'
  | 'opening'
  | 'other'

export interface NewAccount {
  code: string
  type: AccountType
  purpose: AccountPurpose
  currency: string
  memberId?: string
}

/** Codes that every programme has; loans and repayments post to them. */
export const chart = {
  cash: 'cash',
  interest: 'interest',
  fees: 'fees',
  insurance: 'insurance',
  opening: 'opening',
} as const

export const loanAccountCode = (loanNumber: string) => `loan/${loanNumber}`
export const savingsAccountCode = (memberNumber: string) => `savings/${memberNumber}`

/** The accounts behind `chart`. Insurance premiums are owed to the insurer, so they are a liability. */
export function standardAccounts(currency: string): NewAccount[] {
  return [
    { code: chart.cash, type: 'asset', purpose: 'cash', currency },
    { code: chart.interest, type: 'income', purpose: 'interest', currency },
    { code: chart.fees, type: 'income', purpose: 'fee', currency },
    { code: chart.insurance, type: 'liability', purpose: 'insurance', currency },
    { code: chart.opening, type: 'equity', purpose: 'opening', currency },
  ]
}

/** A member's savings book: what the programme owes her. */
export function savingsAccount(
  member: { id: string; number: string },
  currency: string,
): NewAccount & { memberId: string } {
  return {
    code: savingsAccountCode(member.number),
    type: 'liability',
    purpose: 'savings',
    currency,
    memberId: member.id,
  }
}

interface AccountRow {
  id: string
  code: string
  type: string
  purpose: string
  currency: string
  memberId: string | null
}

/** Opens accounts, any number in two round trips. Code to id. An existing account that differs is RequestError account.code_conflict. */
export async function openAccounts(
  tx: Queryable,
  programmeId: string,
  accounts: readonly NewAccount[],
): Promise<Map<string, string>> {
  if (accounts.length === 0) return new Map()
  const codes = accounts.map((account) => account.code)
  const rows = await refusing(async () => {
    await tx.query(
      `insert into accounts (programme_id, code, type, purpose, currency_code, member_id)
       select $1, t.* from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[]) as t
       on conflict do nothing`,
      [
        programmeId,
        codes,
        accounts.map((account) => account.type),
        accounts.map((account) => account.purpose),
        accounts.map((account) => account.currency),
        accounts.map((account) => account.memberId ?? null),
      ],
    )
    const found = await tx.query<AccountRow>(
      `select id, code, type, purpose, currency_code as currency, member_id as "memberId"
         from accounts where programme_id = $1 and code = any($2)`,
      [programmeId, codes],
    )
    return found.rows
  })
  const byCode = new Map(rows.map((row) => [row.code, row]))
  accounts.forEach((account, index) => {
    const row = byCode.get(account.code)
    const equal =
      row !== undefined &&
      row.type === account.type &&
      row.purpose === account.purpose &&
      row.currency === account.currency &&
      row.memberId === (account.memberId ?? null)
    if (!equal) throw new RequestError('account.code_conflict', { field: `accounts[${index}].code` })
  })
  return new Map(rows.map((row) => [row.code, row.id]))
}

/** Closes an account; waits for posters in flight. False when there is no such open account. */
export async function closeAccount(
  tx: Queryable,
  programmeId: string,
  code: string,
  now: Date,
): Promise<boolean> {
  const closed = await tx.query(
    'update accounts set closed_at = $3 where programme_id = $1 and code = $2 and closed_at is null',
    [programmeId, code, now],
  )
  return closed.rowCount === 1
}
