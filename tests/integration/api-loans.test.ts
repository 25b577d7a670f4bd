// Loans and entries by the API: listed, and schedules that change without touching what was paid.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  type TestProgramme,
} from '../support/fixtures.ts'

interface Reply {
  [field: string]: unknown
}

let database: TestDatabase
let programme: TestProgramme
let api: ApiUnderTest
let key: string
let member: TestMember

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  member = await createMember(database.db, programme, { number: 'M-1' })
  key = await createApiKey(database.db, programme.id, 'office')
  api = await serveApi(database.db)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

async function call(method: string, path: string, body?: unknown) {
  const reply = await api.call(key, method, path, body)
  return { status: reply.status, body: JSON.parse(reply.text) as Reply }
}

const part = (dueDate: string, principal: string, interest = '500') => ({ dueDate, principal, interest })
const instalmentsOf = (reply: { body: Reply }) =>
  (reply.body.instalments as { dueDate: string; amount: string; remaining: string }[]).map(
    ({ dueDate, amount, remaining }) => `${dueDate} ${amount} ${remaining}`,
  )

describe('a schedule', () => {
  test('changes behind what was paid on: other days, more instalments, the same sums', async () => {
    const { number } = await createLoan(database.db, programme, member, { number: 'S-1' })
    await repay(database.db, programme, number, 4_000)
    const { rows: before } = await database.db.pool.query(
      `select i.id, i.number from instalments i join loans l on l.id = i.loan_id where l.number = 'S-1' order by i.number`,
    )
    const change = {
      instalments: [part('2027-01-10', '5000'), part('2027-02-10', '7000', '0'), part('2027-03-10', '8000')],
    }
    const reply = await call('PUT', '/loans/S-1/schedule', change)
    expect(reply.status).toBe(201)
    expect(instalmentsOf(reply)).toEqual([
      '2026-11-25 10500 6500',
      '2027-01-10 5500 5500',
      '2027-02-10 7000 7000',
      '2027-03-10 8500 8500',
    ])
    expect(reply.body.outstanding).toBe('27500')
    const { rows: after } = await database.db.pool.query(
      `select i.id, i.number from instalments i join loans l on l.id = i.loan_id where l.number = 'S-1' order by i.number`,
    )
    expect(after.slice(0, 3)).toEqual(before)
    expect(after[3]).toMatchObject({ number: 4 })
    expect((await call('PUT', '/loans/S-1/schedule', change)).status).toBe(200)
  })

  test('fewer instalments: those that go are kept as former rows, for what was said from them', async () => {
    await createLoan(database.db, programme, member, { number: 'S-2' })
    const reply = await call('PUT', '/loans/S-2/schedule', {
      instalments: [part('2027-06-01', '30000', '1500')],
    })
    expect(instalmentsOf(reply)).toEqual(['2027-06-01 31500 31500'])
    const { rows } = await database.db.pool.query(
      `select count(*)::int as count from former_rows where relation = 'instalments'`,
    )
    expect(rows[0].count).toBeGreaterThanOrEqual(2)
  })

  test.each([
    [
      'a day before what is paid on',
      [part('2026-11-24', '10000'), part('2027-01-10', '10000')],
      'loan.schedule_paid',
      'instalments[0].dueDate',
    ],
    [
      'another sum of principal',
      [part('2027-01-10', '10000'), part('2027-02-10', '9000')],
      'loan.schedule_paid',
      'instalments',
    ],
    ['another sum of interest', [part('2027-01-10', '20000', '900')], 'loan.schedule_paid', 'instalments'],
    [
      'a fee that nobody charged',
      [{ ...part('2027-01-10', '20000', '1000'), fee: '5' }],
      'loan.schedule_paid',
      'instalments',
    ],
    [
      'days out of order',
      [part('2027-02-10', '10000'), part('2027-01-10', '10000')],
      'loan.schedule_invalid',
      'instalments[2].dueDate',
    ],
    [
      'decimals that the currency lacks',
      [part('2027-01-10', '10000.5'), part('2027-02-10', '9999.5')],
      'loan.schedule_invalid',
      'instalments[1].principal',
    ],
    [
      'an instalment of nothing',
      [part('2027-01-10', '20000', '1000'), part('2027-02-10', '0', '0')],
      'loan.schedule_invalid',
      'instalments[2]',
    ],
  ])('%s is refused by name, and nothing changes', async (what, instalments, code, field) => {
    const number = `R-${what}`
    await createLoan(database.db, programme, member, { number })
    await repay(database.db, programme, number, 1)
    const path = `/loans/${encodeURIComponent(number)}`
    const before = await call('GET', path)
    const reply = await call('PUT', `${path}/schedule`, { instalments })
    expect(reply.body).toMatchObject({ code, field })
    expect(await call('GET', path)).toEqual(before)
  })

  test('no day that has gone by, but an overdue instalment may stay as it is', async () => {
    await createLoan(database.db, programme, member, {
      number: 'S-3',
      dueDates: ['2026-11-01', '2026-12-01', '2027-01-01'],
      disbursedDate: '2026-10-01',
    })
    const past = await call('PUT', '/loans/S-3/schedule', {
      instalments: [part('2026-11-02', '10000'), part('2027-01-10', '10000'), part('2027-02-10', '10000')],
    })
    expect(past.body).toMatchObject({ code: 'loan.schedule_invalid', field: 'instalments[0].dueDate' })
    const stays = await call('PUT', '/loans/S-3/schedule', {
      instalments: [part('2026-11-01', '10000'), part('2027-01-10', '10000'), part('2027-02-10', '10000')],
    })
    expect(stays.status).toBe(201)
  })

  test('of a loan that is paid on to its end there is nothing to change, and of no loan neither', async () => {
    const { number } = await createLoan(database.db, programme, member, { number: 'S-4' })
    await repay(database.db, programme, number, 21_500)
    const reply = await call('PUT', '/loans/S-4/schedule', { instalments: [part('2027-01-10', '10000')] })
    expect(reply).toMatchObject({ status: 409, body: { code: 'loan.schedule_paid' } })
    expect(
      (await call('PUT', '/loans/none/schedule', { instalments: [part('2027-01-10', '1')] })).status,
    ).toBe(404)
  })

  test('a payment at the same moment is either before the change or after it, never in between', async () => {
    for (let round = 0; round < 5; round += 1) {
      const number = `race-${round}`
      await createLoan(database.db, programme, member, { number })
      const [change] = await Promise.all([
        call('PUT', `/loans/${number}/schedule`, { instalments: [part('2027-06-01', '30000', '1500')] }),
        repay(database.db, programme, number, 5_000),
      ])
      const state = await call('GET', `/loans/${number}`)
      expect(state.body.outstanding).toBe('26500')
      // The payment came first and the change contradicts it, or the one instalment has it.
      expect(instalmentsOf(state)).toHaveLength(change.status === 201 ? 1 : 3)
      if (change.status !== 201) expect(change.body).toMatchObject({ code: 'loan.schedule_paid' })
    }
  })
})

describe('lists', () => {
  test('loans of a member, by either address, with what is outstanding', async () => {
    const other = await createMember(database.db, programme, { number: 'M-2' })
    await createLoan(database.db, programme, other, { number: 'only' })
    const wanted = {
      loans: [
        {
          number: 'only',
          member: 'M-2',
          product: 'standard',
          cycle: 1,
          principal: '30000',
          outstanding: '31500',
          currency: 'XOF',
          instalments: 3,
          lastDueDate: '2027-01-24',
        },
      ],
      next: null,
    }
    expect((await call('GET', '/loans?member=M-2')).body).toEqual(wanted)
    expect((await call('GET', '/members/M-2/loans')).body).toEqual(wanted)
    expect((await call('GET', '/loans')).body.loans).not.toHaveLength(1)
    expect((await call('GET', '/loans?member=nobody')).body).toMatchObject({ status: 404, field: 'member' })
    expect((await call('GET', '/members/nobody/loans')).body).toMatchObject({ status: 404, field: 'number' })
  })

  test('entries by account, kind and day, and one by its reference with what reverses it', async () => {
    const { number } = await createLoan(database.db, programme, member, { number: 'E-1' })
    await repay(database.db, programme, number, 700, { reference: 'paid/e1', bookedDate: '2026-11-20' })
    const references = async (query: string) =>
      ((await call('GET', `/entries?${query}`)).body.entries as { reference: string }[]).map(
        ({ reference }) => reference,
      )
    expect(await references('account=loan%2FE-1')).toEqual(['disbursement/E-1', 'paid/e1'])
    expect(await references('account=loan%2FE-1&kind=loan_repayment')).toEqual(['paid/e1'])
    expect(await references('account=loan%2FE-1&bookedFrom=2026-11-21')).toEqual([])
    expect(await references('account=loan%2FE-1&bookedFrom=2026-11-20&bookedUntil=2026-11-20')).toEqual([
      'paid/e1',
    ])
    expect(await references('account=none')).toEqual([])
    expect((await call('GET', '/entries?bookedFrom=2026-02-30')).body).toMatchObject({
      status: 400,
      field: 'bookedFrom',
    })
    await call('POST', '/entries/paid%2Fe1/reversal', { reference: 'paid/e1/x', bookedDate: '2026-11-21' })
    expect(await call('GET', '/entries/paid%2Fe1')).toMatchObject({
      status: 200,
      body: { reference: 'paid/e1', reverses: null, reversedBy: 'paid/e1/x' },
    })
    expect((await call('GET', '/entries/none')).status).toBe(404)
  })
})
