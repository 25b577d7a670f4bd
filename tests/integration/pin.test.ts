import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPins, isPin, isWeakPin, readGuessing, resetPin } from '../../src/members/pin.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestMember, testNow } from '../support/fixtures.ts'

let database: TestDatabase
let member: TestMember
let pins: ReturnType<typeof createPins>
let checked = 0

beforeAll(async () => {
  database = await createTestDatabase()
  const programme = await createProgramme(database.db)
  member = await createMember(database.db, programme)
  const real = createPins({ db: database.db, pepper: 'pepper' })
  // Counts verifications; each goes through to the real one.
  pins = Object.assign(real, {
    matches: ((matches) => (pinHash: string, pin: string) => {
      checked += 1
      return matches(pinHash, pin)
    })(real.matches),
  })
})
afterAll(() => database.drop())

beforeEach(async () => {
  await resetPin(database.db.pool, member.id)
  await pins.set(member.id, '2846', testNow)
  checked = 0
})

const later = (minutes: number) => new Date(testNow.getTime() + minutes * 60_000)
let tries = 0
const tryPin = async (pin: string, now = testNow) => {
  tries += 1
  return (await pins.verify(member.id, pin, `try-${tries}`, now)).verdict
}
const lock = async (now: Date) => {
  for (const pin of ['1111', '2222', '3333']) await tryPin(pin, now)
}

describe('a PIN', () => {
  test('is kept as Argon2id over a peppered hash, never as itself', async () => {
    const { rows } = await database.db.pool.query('select * from member_pins')
    expect(rows[0].hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(JSON.stringify(rows)).not.toContain('2846')
    const other = createPins({ db: database.db, pepper: 'another' })
    expect(await other.matches(rows[0].hash, '2846')).toBe(false)
  })

  test('200 tries at once get at most three verifications, and the account is locked', async () => {
    const verdicts = await Promise.all(
      Array.from({ length: 200 }, (_, index) => tryPin(String(3000 + index))),
    )
    expect(checked).toBeLessThanOrEqual(3)
    expect(verdicts.filter((verdict) => verdict === 'wrong').length).toBeLessThanOrEqual(2)
    expect(await tryPin('2846')).toBe('locked')
  })

  test('the same callback five times is one try', async () => {
    for (let time = 0; time < 5; time += 1)
      expect(await pins.verify(member.id, '9999', 'one callback', testNow)).toEqual({
        verdict: 'wrong',
        triesLeft: 2,
      })
    expect(await tryPin('2846')).toBe('ok')
  })

  test('a right one forgets the wrong ones before it', async () => {
    await tryPin('1111')
    await tryPin('2222')
    expect(await tryPin('2846')).toBe('ok')
    await tryPin('1111')
    await tryPin('2222')
    expect(await tryPin('2846')).toBe('ok')
  })

  test('a right one at the third try opens', async () => {
    await tryPin('1111')
    await tryPin('2222')
    expect(await tryPin('2846')).toBe('ok')
    expect(await tryPin('2846')).toBe('ok')
  })

  test('locks for 15 minutes, then 24 hours, then until reset in person', async () => {
    await lock(testNow)
    expect(await tryPin('2846', later(14))).toBe('locked')
    await lock(later(16))
    expect(await tryPin('2846', later(16 + 24 * 60 - 1))).toBe('locked')
    await lock(later(17 + 24 * 60))
    expect(await tryPin('2846', later(10 * 365 * 24 * 60))).toBe('locked')
    await resetPin(database.db.pool, member.id)
    expect(await tryPin('2846', later(10 * 365 * 24 * 60))).toBe('none')
    await pins.set(member.id, '8265', testNow)
    expect(await tryPin('8265')).toBe('ok')
  })

  test('after a lock has run out there are three tries again', async () => {
    await lock(testNow)
    expect(await tryPin('1111', later(16))).toBe('wrong')
    expect(await tryPin('2846', later(16))).toBe('ok')
    await lock(later(17))
    expect(await tryPin('2846', later(17 + 16))).toBe('ok')
  })

  test('changing it does not end a lock', async () => {
    await lock(testNow)
    await pins.set(member.id, '8265', testNow)
    expect(await tryPin('8265')).toBe('locked')
  })
})

describe('who is told', () => {
  test('setting, changing, locking and resetting are in the audit log, without the PIN or its hash', async () => {
    const actionsOf = async () =>
      (
        await database.db.pool.query<{ action: string }>(
          'select action from audit_log where subject = $1 order by id desc limit 4',
          [`member:${member.id}`],
        )
      ).rows.map(({ action }) => action)
    await resetPin(database.db.pool, member.id)
    await pins.setFirst(member.id, await pins.hash('2846'), testNow)
    await pins.change(member.id, await pins.hash('8265'), testNow)
    await lock(testNow)
    expect((await actionsOf()).slice(0, 3)).toEqual(['pin.locked', 'pin.changed', 'pin.set'])
    const { rows } = await database.db.pool.query('select * from audit_log')
    expect(JSON.stringify(rows)).not.toMatch(/argon2|2846|8265/)
  })

  test('a dialogue that began without a PIN cannot replace one that was set meanwhile; its own repetition can', async () => {
    await resetPin(database.db.pool, member.id)
    const [mine, theirs] = await Promise.all([pins.hash('8265'), pins.hash('9473')])
    expect(await pins.change(member.id, mine, testNow)).toBe(false)
    expect(await pins.setFirst(member.id, mine, testNow)).toBe(true)
    expect(await pins.setFirst(member.id, mine, testNow)).toBe(true)
    expect(await pins.setFirst(member.id, theirs, testNow)).toBe(false)
    expect(await tryPin('8265')).toBe('ok')
  })

  test('wrong PINs of a programme are added up over members and minutes, and are above the limit after it only', async () => {
    const { db } = database
    await db.pool.query('delete from wrong_pins')
    await db.pool.query('update programmes set wrong_pins_max = 4')
    const above = async (now: Date) => [...(await readGuessing(db, now)).values()]
    await Promise.all(['1111', '2222'].map((pin) => tryPin(pin, later(100))))
    expect(await tryPin('2846', later(100))).toBe('ok')
    await Promise.all(['1111', '2222'].map((pin) => tryPin(pin, later(108))))
    expect(await above(later(109))).toEqual([false])
    await tryPin('3333', later(109))
    expect(await above(later(109))).toEqual([true])
    expect(await above(later(110))).toEqual([false])
  })
})

describe('a PIN that everybody would guess is refused', () => {
  const owner = { birthYear: 1985, msisdns: ['+221771239047'], number: 'FAN-006127' }
  test.each(['0000', '1111', '1212', '123123', '112233', '1234', '4321', '8901', '987654', '1985', '198512'])(
    '%s',
    (pin) => expect(isWeakPin(pin, owner)).toBe(true),
  )
  test.each(['9047', '39047', '239047', '7123', '904712', '2580', '159753', '6127', '006127'])('%s', (pin) =>
    expect(isWeakPin(pin, owner)).toBe(true),
  )
  test('any year that she may be born in, while it is not known', () => {
    expect(isWeakPin('1974', owner)).toBe(false)
    expect(isWeakPin('1974', { msisdns: [] })).toBe(true)
    expect(isWeakPin('0042', { msisdns: [], number: '42' })).toBe(true)
  })
  test.each(['7391', '2846', '90531', '638204'])('%s is fine', (pin) =>
    expect(isWeakPin(pin, owner)).toBe(false),
  )
  test.each(['123', '1234567', '12a4', '', '١٢٣٤', ' 1234', '1234\n'])('"%s" is no PIN at all', (pin) =>
    expect(isPin(pin)).toBe(false),
  )
})
