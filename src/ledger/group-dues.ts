// In: a group and a day. Out: what its members are still to pay by then, member by member. Who may see one member's is the screen's business.
import { Decimal } from 'decimal.js'
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import type { Amount } from '../money.ts'
import { remainingSql } from './position.ts'

export interface MemberDue {
  memberId: string
  alias: string
  due: Amount
}

/** Active members who have something to pay until that day, this day included, by alias. */
export async function readGroupDues(
  tx: Queryable,
  groupId: string,
  until: CalendarDate,
): Promise<MemberDue[]> {
  const { rows } = await tx.query<{ memberId: string; alias: string; due: string }>(
    `select m.id as "memberId", m.alias, sum(due.remaining)::text as due
       from members m
       join loans l on l.member_id = m.id
       cross join lateral (select coalesce(sum(amount), 0) as outstanding from postings where account_id = l.account_id) b
       cross join lateral (select coalesce(sum(r.remaining), 0) as remaining from (${remainingSql}) r
                            where r.due_date <= $2) due
      where m.group_id = $1 and m.status = 'active' and b.outstanding > 0
      group by m.id having sum(due.remaining) > 0 order by m.alias, m.number`,
    [groupId, until],
  )
  return rows.map(({ due, ...row }) => ({ ...row, due: new Decimal(due) }))
}
