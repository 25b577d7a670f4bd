// What the kinds' SELECTs share. Only constants of ours: nothing from outside is ever joined into this SQL.
import { newestWordSql } from '../members/consent.ts'

/** Members whom a reminder of this purpose may be written for; asked again when it is sent. */
export function reachable(purpose: 'reminder' | 'meeting'): string {
  return `mb.status = 'active' and mb.opted_out_at is null and ${newestWordSql('mb.id', `'${purpose}'`)}`
}

/** The minute that the send window opens on a day, there where the programme is; not before now. */
export function windowStart(date: string): string {
  return `greatest($2::timestamptz,
      ((${date})::timestamp + pr.send_from_minute * interval '1 minute') at time zone pr.time_zone)`
}

/** The first instant after a day. */
export function endOf(date: string): string {
  return `(((${date}) + 1)::timestamp at time zone pr.time_zone)`
}

/**
 * Instalments between two days that are not yet reminded and not paid. First by due date, then only those loans'
 * balances: an instalment is unpaid exactly when the balance exceeds the sum of all later ones.
 */
export function unpaidInstalments(kind: string, fromDate: string, toDate: string): string {
  return `with due as materialized (
    select i.id, i.loan_id, i.number, i.due_date, l.account_id, l.member_id
      from instalments i join loans l on l.id = i.loan_id
     where i.due_date between ${fromDate} and ${toDate} and l.programme_id = $1
       and not exists (select 1 from messages s
                        where s.programme_id = $1 and s.dedupe_key = ${dueKey(kind, 'i')})
  ), later as (
    select d.id, coalesce(sum(j.principal + j.interest + j.fee + j.insurance), 0) as amount
      from due d
      left join instalments j on j.loan_id = d.loan_id and j.due_date >= d.due_date
                             and (j.due_date, j.number) > (d.due_date, d.number)
     group by d.id
  ), balances as (
    select p.account_id, sum(p.amount) as amount
      from postings p
     where p.account_id in (select account_id from due)
     group by p.account_id
  ), unpaid as (
    select due.* from due
      join later on later.id = due.id
      join balances on balances.account_id = due.account_id
     where balances.amount > later.amount
  )`
}

/** One reminder for an instalment on a date: the same instalment moved to another day is a new fact. */
export function dueKey(kind: string, instalment: string): string {
  return `'reminder/${kind}/' || ${instalment}.id || '/' || ${instalment}.due_date`
}

/** The same for a gathering; its members each have one, and a new one when it was moved and is back again. */
export function gatheringKey(kind: string, gathering: string): string {
  return `'reminder/${kind}/' || ${gathering}.id || '/' ||
      to_char(${gathering}.starts_at at time zone pr.time_zone, 'YYYY-MM-DD"T"HH24:MI') || '/' || mb.id ||
      case when ${gathering}.changes = 0 then '' else '/' || ${gathering}.changes end`
}

/** ISO 8601 in UTC, as the decision compares it. */
export function startsAtParam(gathering: string): string {
  return `jsonb_build_object('startsAt', to_char(${gathering}.starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`
}
