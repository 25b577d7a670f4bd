// What happens to the members of two simulated programmes from day to day: loans, payments, other schedules, meetings called, moved and
// called off, words of their own. Each is done to the real house and noted in the model.
import { randomUUID } from 'node:crypto'
import { addDays } from '../../src/calendar.ts'
import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/db.ts'
import { setSmsHours } from '../../src/members/consent.ts'
import { setConsents, startMessages, stopMessages } from '../../src/outbound/opt-out.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { pickOne, type Random } from '../../src/simulator/random.ts'
import { createLoan, createMember, createProgramme, repay, sayingAt, type TestProgramme } from './fixtures.ts'
import {
  localDay,
  type ModelGathering,
  type ModelLoan,
  type ModelMember,
  type ModelProgramme,
  openInstalments,
  type ReminderModel,
} from './reminder-model.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

export interface Life {
  counts: { moves: number; payments: number; words: number }
  /** Numbers that asked for something since this was emptied. */
  asked: string[]
  /** One in Senegal, one in Haiti, where the clocks change. */
  openProgrammes(membersEach: number): Promise<TestProgramme>
  /** One thing that happens to somebody; nobody asks when nobody would answer. */
  happen(canAsk: boolean): Promise<void>
}

export function createLife(deps: { db: Db; clock: Clock; random: Random; model: ReminderModel }): Life {
  const { db, clock, random, model } = deps
  const programmes = new Map<ModelProgramme, TestProgramme>()
  const groups = new Map<string, ModelProgramme>()
  const modules = new Map<ModelProgramme, string>()
  const datesUsed = new Map<string, Set<string>>()
  const counts = { moves: 0, payments: 0, words: 0 }
  const asked: string[] = []

  const one = <Value>(values: readonly Value[]): Value | undefined =>
    values.length === 0 ? undefined : pickOne(random, values)

  async function openProgramme(
    settings: { code: string; country: string; currency: string; timeZone: string; serviceCode: string },
    prefix: string,
    membersEach: number,
  ): Promise<TestProgramme> {
    const { code, timeZone } = settings
    const caps = { dailyCap: random.between(1, 2), weeklyCap: random.between(2, 4) }
    const opened = await createProgramme(db, { ...settings, senderId: code.toUpperCase() })
    await db.pool.query(
      'update programmes set daily_cap = $2, weekly_cap = $3, segments_day_max = 1000000 where id = $1',
      [opened.id, caps.dailyCap, caps.weeklyCap],
    )
    const programme: ModelProgramme = { id: opened.id, timeZone, ...caps }
    programmes.set(programme, opened)
    const module = await db.prisma.trainingModule.create({
      data: { programmeId: opened.id, number: 1, titles: { fr: 'Epargne' } },
    })
    modules.set(programme, module.id)
    const groupIds = [opened.groupId]
    for (const number of [2, 3]) {
      const group = await db.prisma.group.create({
        data: { programmeId: opened.id, code: `G0${number}`, name: `Jappo ${number}`, place: 'Bignona' },
      })
      groupIds.push(group.id)
    }
    for (const groupId of groupIds) groups.set(groupId, programme)
    for (let index = 0; index < membersEach; index++) {
      const groupId = groupIds[index % groupIds.length] ?? ''
      const msisdn = `${prefix}${String(index).padStart(4, '0')}`
      const made = await createMember(db, opened, {
        number: `${code}${index}`,
        msisdn,
        groupId,
        savings: false,
      })
      // A third keeps hours of her own, some of them wider than the programme's 8 to 20.
      const hers =
        index % 3 === 0
          ? { from: random.between(6, 12) * 60 + 30, until: random.between(13, 22) * 60 }
          : undefined
      await setSmsHours(db.pool, made.id, hers)
      const from = Math.max(480, hers?.from ?? 0)
      const until = Math.min(1_200, hers?.until ?? 1_440)
      model.members.push({
        id: made.id,
        msisdn,
        groupId,
        programme,
        from,
        until,
        isActive: true,
        isStopped: false,
        allows: { receipt: true, reminder: true, meeting: true },
        told: [],
        receipts: { unheard: 0, waiting: [] },
      })
    }
    return opened
  }

  /** Keeps the model's word on receipts: what waits for one who wants none any more is gone. */
  function changed(member: ModelMember): void {
    if (member.isStopped || !member.allows.receipt) member.receipts.waiting.length = 0
    model.changed(member)
  }

  async function lend(member: ModelMember): Promise<void> {
    const opened = programmes.get(member.programme)
    if (opened === undefined || model.loans.filter((loan) => loan.member === member).length >= 2) return
    const today = localDay(clock.now(), member.programme)
    const step = random.between(4, 21)
    const first = random.between(1, 15)
    const dueDates = Array.from({ length: random.between(3, 7) }, (_, index) =>
      addDays(today, first + index * step),
    )
    const made = { id: member.id, number: '', msisdn: member.msisdn, phoneId: '' }
    const { number } = await createLoan(db, opened, made, {
      dueDates,
      principalEach: 1_000,
      interestEach: 50,
      disbursedDate: today,
    })
    const { rows } = await db.pool.query<{ id: string; number: number; due: string }>(
      `select i.id, i.number, i.due_date::text as due from instalments i join loans l on l.id = i.loan_id
        where l.programme_id = $1 and l.number = $2 order by i.number`,
      [opened.id, number],
    )
    const instalments = rows.map((row) => ({ ...row, amount: 1_050 }))
    model.loans.push({ number, member, instalments, paid: 0, postedAt: [clock.now()] })
    member.receipts.unheard += 1
  }

  async function pay(loan: ModelLoan): Promise<void> {
    const opened = programmes.get(loan.member.programme)
    const owed = loan.instalments.length * 1_050 - loan.paid
    if (opened === undefined || owed === 0) return
    const amount = Math.min(
      owed,
      one([1_050, 1_050, 1_050, 300, 300, 2_500, random.chance(0.3) ? owed : 500]) ?? owed,
    )
    await repay(db, opened, loan.number, amount, { bookedDate: localDay(clock.now(), loan.member.programme) })
    loan.paid += amount
    loan.postedAt.push(clock.now())
    loan.member.receipts.unheard += 1
    counts.payments += 1
    changed(loan.member)
  }

  /** An instalment to a day that it never had before: the office agrees on another schedule. */
  async function moveInstalment(loan: ModelLoan): Promise<void> {
    const today = localDay(clock.now(), loan.member.programme)
    const instalment = one(openInstalments(loan).filter(({ due }) => due >= today))
    if (instalment === undefined) return
    const used = datesUsed.get(instalment.id) ?? new Set([instalment.due])
    datesUsed.set(instalment.id, used)
    const due = addDays(instalment.due, random.between(-6, 9))
    if (due < today || used.has(due)) return
    used.add(due)
    await db.pool.query('update instalments set due_date = $2 where id = $1', [instalment.id, due])
    instalment.due = due
    counts.moves += 1
    changed(loan.member)
  }

  async function callGathering(groupId: string, programme: ModelProgramme): Promise<void> {
    const kind = random.chance(0.7) ? 'meeting' : 'training'
    const startsAt = new Date(
      clock.now().getTime() + random.between(3, 140) * hourMs + random.between(0, 59) * minuteMs,
    )
    const { id } =
      kind === 'meeting'
        ? await db.prisma.meeting.create({ data: { groupId, startsAt, place: 'Bignona' } })
        : await db.prisma.trainingSession.create({
            data: { groupId, startsAt, place: 'Bignona', moduleId: modules.get(programme) ?? '' },
          })
    model.gatherings.push({ id, kind, groupId, programme, startsAt, isOn: true })
  }

  async function moveGathering(gathering: ModelGathering): Promise<void> {
    const table = gathering.kind === 'meeting' ? 'meetings' : 'training_sessions'
    if (random.chance(0.3)) {
      gathering.isOn = false
      await db.pool.query(`update ${table} set status = 'cancelled' where id = $1`, [gathering.id])
    } else {
      // Never to an hour that it had before: minutes of its own.
      const shift =
        random.between(-20, 60) * hourMs + random.between(1, 59) * minuteMs + random.between(1, 59_999)
      const startsAt = new Date(gathering.startsAt.getTime() + shift)
      if (startsAt <= clock.now()) return
      gathering.startsAt = startsAt
      await db.pool.query(`update ${table} set starts_at = $2 where id = $1`, [gathering.id, startsAt])
    }
    counts.moves += 1
    for (const member of model.members) if (member.groupId === gathering.groupId) changed(member)
  }

  async function speak(member: ModelMember): Promise<void> {
    const now = clock.now()
    const word = random.pick({ stop: 1, start: 3, purpose: 3, status: 1 })
    if (word === 'stop') {
      member.isStopped = true
      await db.transaction((tx) => stopMessages(tx, { memberId: member.id }, sayingAt(now)))
    } else if (word === 'start') {
      member.isStopped = false
      await db.transaction((tx) => startMessages(tx, { memberId: member.id }, sayingAt(now)))
    } else if (word === 'purpose') {
      const purpose = one(['receipt', 'reminder', 'meeting'] as const) ?? 'reminder'
      const granted = random.chance(0.7)
      member.allows[purpose] = granted
      const said = { ...sayingAt(now), memberId: member.id, purpose, granted }
      await db.transaction((tx) => setConsents(tx, [said], now))
    } else {
      member.isActive = !member.isActive || random.chance(0.5)
      await db.pool.query('update members set status = $2 where id = $1', [
        member.id,
        member.isActive ? 'active' : 'suspended',
      ])
    }
    counts.words += 1
    changed(member)
  }

  async function ask(member: ModelMember): Promise<void> {
    const { rows } = await db.pool.query<{ id: string }>('select id from phones where msisdn = $1', [
      member.msisdn,
    ])
    await createMessages(db.pool, [
      {
        programmeId: member.programme.id,
        memberId: member.id,
        phoneId: rows[0]?.id ?? '',
        purpose: random.chance(0.5) ? 'reply' : 'code',
        template: 'reply.help',
        lane: 'urgent',
        dedupeKey: `asked/${randomUUID()}`,
        notBefore: clock.now(),
      },
    ])
    asked.push(member.msisdn)
  }

  async function happen(canAsk: boolean): Promise<void> {
    const now = clock.now()
    const member = one(model.members)
    const loan = one(model.loans)
    const group = one([...groups])
    const gathering = one(model.gatherings.filter(({ isOn, startsAt }) => isOn && startsAt > now))
    const acts = {
      lend: () => member && lend(member),
      pay: () => loan && pay(loan),
      move: () => loan && moveInstalment(loan),
      call: () => group && callGathering(...group),
      recall: () => gathering && moveGathering(gathering),
      speak: () => member && speak(member),
      ask: () => (canAsk && member !== undefined ? ask(member) : undefined),
    }
    const act = random.pick({ lend: 4, pay: 5, move: 2, call: 2, recall: 1, speak: 1, ask: 1 }) ?? 'ask'
    await acts[act]()
  }

  return {
    counts,
    asked,
    happen,
    async openProgrammes(membersEach) {
      const dakar = { country: 'SN', currency: 'XOF', timeZone: 'Africa/Dakar' }
      const haiti = { country: 'HT', currency: 'HTG', timeZone: 'America/Port-au-Prince' }
      await openProgramme({ ...haiti, code: 'fonkoze', serviceCode: '*385*1' }, '+5093710', membersEach)
      return openProgramme({ ...dakar, code: 'fansoto', serviceCode: '*384*1' }, '+22177100', membersEach)
    },
  }
}
