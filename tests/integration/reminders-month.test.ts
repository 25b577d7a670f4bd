import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDays } from '../../src/calendar.ts'
import { fixedClock } from '../../src/clock.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createPlanner } from '../../src/reminders/planner.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
})
afterAll(() => database.drop())

const newPlanner = () =>
  createPlanner({
    db: database.db,
    clock: fixedClock(testNow),
    logger: silentLogger,
    metrics: createMetrics(),
  })

test('thirty days with two planners at once remind each instalment at most once a kind, and every unpaid one at least once', async () => {
  const first = '2027-05-01'
  const members: TestMember[] = []
  for (let index = 0; index < 6; index += 1) {
    const one = await createMember(database.db, programme)
    const dueDates = Array.from({ length: 5 }, (_, step) => addDays(first, 2 + index + step * 5))
    const loan = await createLoan(database.db, programme, one, { dueDates })
    if (index % 2 === 0) await repay(database.db, programme, loan.number, 10_500 * 5)
    members.push(one)
  }
  const planners = [newPlanner(), newPlanner()]
  for (let day = 0; day < 30; day += 1)
    for (const hour of [0, 9]) {
      const at = new Date(Date.parse(`${addDays(first, day)}T00:00:00Z`) + hour * 3_600_000)
      await Promise.all(planners.map((planner) => planner.planOnce(at)))
      // A clock that jumps back must not plan twice either.
      if (day % 10 === 5) await planners[0]?.planOnce(new Date(at.getTime() - 2 * 3_600_000))
    }
  const { rows } = await database.db.pool.query<{
    member_id: string
    template: string
    keys: number
    all: number
  }>(
    `select member_id, template, count(distinct instalment_id)::int as keys, count(*)::int as all
         from messages where member_id = any($1) group by 1, 2`,
    [members.map(({ id }) => id)],
  )
  for (const { keys, all } of rows) expect(keys).toBe(all)
  for (const [index, { id }] of members.entries()) {
    const soon = rows.find((row) => row.member_id === id && row.template === 'reminder.due_soon')
    expect(soon?.all ?? 0).toBe(index % 2 === 0 ? 0 : 5)
  }
})
