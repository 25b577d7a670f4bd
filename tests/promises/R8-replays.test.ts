// The provider repeats callbacks, at once and much later, to any web process: the same bytes and one effect. One programme gets
// each callback once, its twin five times; both must end in the same state.
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { Db } from '../../src/db.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { type Fields, postCallback, smsFields, ussdFields } from '../support/callers.ts'
import { backends, type Harness, startHarness } from '../support/harness.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { createWorld, numbers, testPepper, testPin } from '../support/ussd.ts'

const callbacks = atScale(80, 1_000)
const times = 5

interface Callback {
  route: 'ussd' | 'sms' | 'delivery' | 'opt-out'
  fields: Fields
}

describe.each(backends)('with dialogues in %s', (backend) => {
  it(`${callbacks} callbacks, each ${times} times, also at once and to two processes: one effect, the same bytes`, {
    timeout: atScale(180_000, 600_000),
  }, async () => {
    const script = callbackScript(callbacks)
    const once = await house(1)
    const answersOnce = await play(once, script, 1)
    const stateOnce = await effects(once.db)
    const repeated = await house(2)
    const answers = await play(repeated, script, 2)
    const later = [...script.keys()].flatMap((index) => Array.from({ length: times - 2 }, () => index))
    shuffle(later)
    for (let at = 0; at < later.length; at += 20)
      await Promise.all(
        later.slice(at, at + 20).map(async (index) => {
          expect(await post(repeated, script[index])).toBe(answers[index])
        }),
      )
    expect(answers.map(withoutReference)).toEqual(answersOnce.map(withoutReference))
    expect(await effects(repeated.db)).toEqual(stateOnce)
    expect(stateOnce.length).toBeGreaterThan(callbacks / 10)
    showFigure(
      'R8',
      `${backend}: ${callbacks} callbacks ${times} times each, two of them at once, the rest after all others: same bytes, ` +
        `and the ${stateOnce.length} rows of a twin that got each once`,
    )
  })

  async function house(webs: number): Promise<Harness> {
    const harness = await startHarness({ backend, environment: { PIN_PEPPER: testPepper } })
    onTestFinished(() => harness.close())
    const world = await createWorld(harness.db)
    await world.reset()
    await createReported(harness.db, world.programme.id)
    const places = Array.from({ length: webs }, () => harness.keep('web'))
    urls.set(harness, await Promise.all(places.map(async (place) => (await place.filled()).url)))
    return harness
  }
})

const urls = new Map<Harness, string[]>()
let turn = 0

async function post(harness: Harness, callback: Callback | undefined): Promise<string> {
  const all = urls.get(harness) ?? []
  turn += 1
  const { status, text } = await postCallback(
    all[turn % all.length] ?? '',
    callback?.route ?? 'ussd',
    callback?.fields ?? {},
  )
  return `${status} ${text}`
}

/** Each callback so many times at once, one callback after the other. */
async function play(harness: Harness, script: readonly Callback[], atOnce: number): Promise<string[]> {
  const answers: string[] = []
  for (const callback of script) {
    const same = await Promise.all(Array.from({ length: atOnce }, () => post(harness, callback)))
    expect(new Set(same).size).toBe(1)
    answers.push(same[0] ?? '')
  }
  return answers
}

/** The reference of a case is drawn anew for each. */
const withoutReference = (answer: string) => answer.replace(/(demande|request|reference)[^\n]*/i, '')

const walks: readonly (readonly string[])[] = [
  ['1', testPin, '1', '1', '0', '0', '2'],
  ['4', '1'],
  ['2', '1'],
  ['2', '2'],
  ['5', '3', '1', '8', '9'],
  ['5', '1', '2'],
  ['3'],
  ['6'],
  ['9', '0', '1', '7391', testPin, '3'],
  ['1', testPin, '3', '98'],
]
const speakers = ['awa', 'mary', 'coumba', 'nobody', 'late', 'ami', 'stranger', 'suspended'] as const
const texts = ['SOLDE', 'DATE', 'AIDE', 'STOP', 'START', 'bonjour', 'REUNION', 'LANGUE wolof']
const words = ['Sent', 'Success', 'Failed', 'Buffered', 'NewWord', 'Rejected', 'Success']
const reported = 40

/** The same calls every time: dialogues, texts, reports and opt-outs in turn. */
function callbackScript(size: number): Callback[] {
  const script: Callback[] = []
  for (let round = 0; script.length < size; round += 1) {
    const from = numbers[speakers[round % speakers.length] ?? 'awa']
    const walk = walks[round % walks.length] ?? []
    for (let hop = 0; hop <= walk.length; hop += 1)
      script.push({
        route: 'ussd',
        fields: ussdFields(`ATUid_replay_${round}`, from, walk.slice(0, hop).join('*')),
      })
    const text = texts[round % texts.length] ?? ''
    // A guard answers ten texts a day from one number: most come from numbers of their own.
    const writer = round % 3 === 0 ? from : `+22177${5_000_000 + round}`
    script.push({ route: 'sms', fields: smsFields(`sms-${round}`, writer, text) })
    script.push({
      route: 'delivery',
      fields: {
        id: `ATXid_${round % (reported + 5)}`,
        status: words[round % words.length] ?? '',
        phoneNumber: from,
        failureReason: 'AbsentSubscriber',
      },
    })
    if (round % 5 === 4)
      script.push({ route: 'opt-out', fields: { senderId: 'FANSOTO', phoneNumber: numbers.nobody } })
  }
  return script.slice(0, size)
}

/** Messages that the provider has taken and will report on. */
async function createReported(db: Db, programmeId: string): Promise<void> {
  const { rows } = await db.pool.query<{ id: string }>('select id from phones where msisdn = $1', [
    numbers.awa,
  ])
  await createMessages(
    db.pool,
    Array.from({ length: reported }, (_, index) => ({
      programmeId,
      phoneId: rows[0]?.id ?? '',
      purpose: 'notice' as const,
      template: 'reply.help',
      lane: 'bulk' as const,
      dedupeKey: `reported/${index}`,
      notBefore: systemClock.now(),
    })),
  )
  await db.pool.query(
    `update messages set status = 'submitted', provider = 'africastalking', submitted_at = now(),
            provider_message_id = 'ATXid_' || substr(dedupe_key, 10)`,
  )
}

/** All that a callback can bring about, without ids and instants. */
async function effects(db: Db): Promise<string[]> {
  const { rows } = await db.pool.query<{ effect: string }>(`
    select 'message ' || concat_ws(' ', p.msisdn, b.number, m.purpose, m.template, m.lane, m.status, m.params::text,
           m.provider_message_id, (select string_agg(v.to_status, '>' order by v.id) from message_events v where v.message_id = m.id))
           as effect
      from messages m left join phones p on p.id = m.phone_id left join members b on b.id = m.member_id
    union all
    select 'inbound ' || concat_ws(' ', external_id, keyword) from inbound_messages
    union all
    select 'case ' || concat_ws(' ', b.number, c.kind, c.status) from cases c join members b on b.id = c.member_id
    union all
    select 'consent ' || concat_ws(' ', b.number, c.purpose, c.granted) from consents c join members b on b.id = c.member_id
    union all
    select 'meeting ' || concat_ws(' ', b.number, a.coming) from meeting_answers a join members b on b.id = a.member_id
    union all
    select 'member ' || concat_ws(' ', number, language, opted_out_at is not null) from members
    union all
    select 'phone ' || concat_ws(' ', msisdn, language, opted_out_at is not null) from phones
    union all
    select 'pin ' || concat_ws(' ', b.number, i.tries, i.lock_level) from member_pins i join members b on b.id = i.member_id
    order by effect`)
  return rows.map(({ effect }) => effect)
}

function shuffle(list: number[]): void {
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1))
    const kept = list[at] ?? 0
    list[at] = list[other] ?? 0
    list[other] = kept
  }
}
