// In: a programme and a period. Out: what its SMS should cost by our count, and what the provider says that it took. Only reads.
// Never computes money outside the database.
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'

export interface CostLine {
  /** "total" for all of them. */
  purpose: string
  /** That the provider took in the period, as its answer or a later report says. */
  messages: number
  /** By our count, the network's tail on first messages included. */
  segments: number
  /** Segments times the programme's price, "1200.000000"; null without a price. */
  estimated: string | null
  billedSegments: number
  /** As billed, "XOF 1200.000000"; several currencies one after the other, "-" when nothing was. */
  billed: string
  /** Of which the provider named no cost. */
  unbilled: number
}

export interface Cost {
  /** Of a segment now; an older period is held against it too. */
  price: { currency: string; amount: string } | undefined
  purposes: CostLine[]
  total: CostLine
  /** Messages whose bill is not what was counted, by number of segments, currency or amount; a few of them by id. */
  differing: { count: number; ids: string[] }
  /** Of open or given-up outcome in the period: in no line above, and perhaps on the bill. */
  unknown: number
}

const sentSql = `
  with sent as (
    select m.id, m.purpose, m.segments, m.billed_segments, m.cost, m.cost_currency, m.segments * p.segment_price as estimated,
           m.billed_segments <> m.segments or m.cost_currency <> p.segment_currency
             or m.cost <> m.segments * p.segment_price as differs
      from messages m join programmes p on p.id = m.programme_id
     where m.programme_id = $1 and (m.submitted_at is not null or m.status in ('sent', 'delivered', 'undelivered'))
       and coalesce(m.submitted_at, m.facts_at) >= $2 and coalesce(m.submitted_at, m.facts_at) < $3)`

const linesSql = `${sentSql}
  select coalesce(purpose, 'total') as purpose, count(*)::int as messages, coalesce(sum(segments), 0)::int as segments,
         sum(estimated)::text as estimated, coalesce(sum(billed_segments), 0)::int as "billedSegments",
         count(*) filter (where cost is null)::int as unbilled,
         coalesce((select string_agg(b.cost_currency || ' ' || b.cost, ', ' order by b.cost_currency)
                     from (select s.cost_currency, sum(s.cost) as cost from sent s
                            where s.cost is not null and (sent.purpose is null or s.purpose = sent.purpose)
                            group by s.cost_currency) b), '-') as billed
    from sent group by grouping sets ((purpose), ()) order by grouping(purpose), purpose`

const differingSql = `${sentSql}
  select count(*)::int as count, coalesce((array_agg(id order by id))[1:10], '{}') as ids from sent where differs`

const unknownSql = `
  select count(*)::int as count from messages m
   where m.programme_id = $1 and m.submitted_at is null and m.status in ('unknown', 'failed') and may_have_left(m)
     and m.facts_at >= $2 and m.facts_at < $3`

const priceSql = `
  select segment_currency as currency, segment_price::text as amount from programmes
   where id = $1 and segment_price is not null`

export async function readCost(
  db: Queryable,
  programmeId: string,
  period: { from: Date; until: Date },
): Promise<Cost> {
  const values = [programmeId, period.from, period.until]
  const lines = await db.query<CostLine>(linesSql, values)
  const differing = await db.query<Cost['differing']>(differingSql, values)
  const price = await db.query<{ currency: string; amount: string }>(priceSql, [programmeId])
  const unknown = await db.query<{ count: number }>(unknownSql, values)
  const total = lines.rows.pop()
  if (total === undefined || differing.rows[0] === undefined || unknown.rows[0] === undefined)
    throw new InvariantError('an aggregate gave no row')
  return {
    price: price.rows[0],
    purposes: lines.rows,
    total,
    differing: differing.rows[0],
    unknown: unknown.rows[0].count,
  }
}
