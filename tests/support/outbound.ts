// A programme with phones and messages for tests of the outbound path, and a provider of a few lines on real HTTP.
import { createServer, type Server } from 'node:http'
import { systemClock } from '../../src/clock.ts'
import type { Db } from '../../src/db.ts'
import type { Decision } from '../../src/outbound/decision.ts'
import { createMessages, type NewMessage } from '../../src/outbound/outbox.ts'
import type { Lane, MessageStatus } from '../../src/outbound/status.ts'
import { freePort } from './redis.ts'

export interface OutboundFixture {
  programmeId: string
  phones: { id: string; msisdn: string }[]
  /** Due messages to phone after phone; returns their ids in the order of their keys. */
  write(count: number, options?: { lane?: Lane; notBefore?: Date; key?: string }): Promise<string[]>
  statuses(): Promise<Partial<Record<MessageStatus, number>>>
  statusOf(id: string): Promise<string>
  /** "created>queued", "queued>claimed", ... in the order they happened. */
  story(id: string): Promise<string[]>
}

export async function outboundFixture(db: Db, phoneCount = 20): Promise<OutboundFixture> {
  const programme = await db.pool.query<{ id: string }>(
    `insert into programmes (code, name, service_code, sender_id, currency_code, country, time_zone, languages)
     values ('sunu', 'Sunu', '*384*1', 'TAMA', 'XOF', 'SN', 'Africa/Dakar', '{fr}') returning id`,
  )
  const programmeId = programme.rows[0]?.id ?? ''
  const { rows: phones } = await db.pool.query<{ id: string; msisdn: string }>(
    `insert into phones (programme_id, msisdn) select $1, '+22177' || (1000000 + i) from generate_series(1, $2::int) i
     returning id, msisdn`,
    [programmeId, phoneCount],
  )
  let written = 0

  return {
    programmeId,
    phones,
    async write(count, { lane = 'planned', notBefore = new Date(0), key = 'test' } = {}) {
      const first = written
      const messages: NewMessage[] = Array.from({ length: count }, (_, index) => ({
        programmeId,
        phoneId: phones[(first + index) % phones.length]?.id ?? '',
        purpose: 'notice',
        template: 'notice.test',
        lane,
        dedupeKey: `${key}/${String(first + index).padStart(6, '0')}`,
        notBefore,
      }))
      written += count
      await createMessages(db.pool, messages)
      const { rows } = await db.pool.query<{ id: string }>(
        'select id from messages where dedupe_key = any($1) order by dedupe_key',
        [messages.map((message) => message.dedupeKey)],
      )
      return rows.map((row) => row.id)
    },
    async statuses() {
      const { rows } = await db.pool.query<{ status: MessageStatus; count: number }>(
        'select status, count(*)::int as count from messages group by status',
      )
      return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
    },
    async statusOf(id) {
      const { rows } = await db.pool.query<{ status: string }>('select status from messages where id = $1', [
        id,
      ])
      return rows[0]?.status ?? 'gone'
    },
    async story(id) {
      const { rows } = await db.pool.query<{ step: string }>(
        `select from_status || '>' || to_status as step from message_events where message_id = $1 order by id`,
        [id],
      )
      return rows.map((row) => row.step)
    },
  }
}

/** Sends everything: text with the message's id, so that a provider can count what each message got. */
export function sendAll(db: Db): (messageIds: readonly string[]) => Promise<Decision[]> {
  return async (messageIds) => {
    const { rows } = await db.pool.query<{ id: string; phoneId: string; msisdn: string }>(
      `select m.id, p.id as "phoneId", p.msisdn from messages m join phones p on p.id = m.phone_id
        where m.id = any($1::uuid[])`,
      [messageIds],
    )
    return rows.map(({ id, phoneId, msisdn }) => ({
      messageId: id,
      action: 'send',
      phoneId,
      msisdn,
      senderId: 'TAMA',
      language: 'fr',
      text: `Message ${id}`,
      segments: 1,
      factsAt: new Date(0),
      factsSnapshot: '1:1:',
    }))
  }
}

export interface ProviderCall {
  text: string
  recipients: string[]
  /** Who calls: each process of a trial has a name of its own. */
  username: string
}

export interface TestProvider {
  url: string
  /** Every call that arrived, whatever was answered. */
  calls: ProviderCall[]
  /** Calls that arrived and have no answer yet. */
  underWay: ReadonlySet<ProviderCall>
  /** How the next calls are answered [accepted at once]. */
  answer: (call: ProviderCall, accept: () => void, end: (status: number, body?: unknown) => void) => void
  /** The provider id that an accepted call gave to a text's first receiver. */
  idOf(text: string): string | undefined
  stop(): Promise<void>
}

/** Speaks just enough of Africa's Talking to accept; each case says what else it does. */
export async function startTestProvider(): Promise<TestProvider> {
  const ids = new Map<string, string>()
  const underWay = new Set<ProviderCall>()
  let accepted = 0
  const provider: TestProvider = {
    url: '',
    calls: [],
    underWay,
    answer: (_, accept) => accept(),
    idOf: (text) => ids.get(text),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => {
      body += part.toString()
    })
    request.on('end', () => {
      const form = new URLSearchParams(body)
      const call = {
        text: form.get('message') ?? '',
        recipients: (form.get('to') ?? '').split(','),
        username: form.get('username') ?? '',
      }
      provider.calls.push(call)
      underWay.add(call)
      response.once('close', () => underWay.delete(call))
      const end = (status: number, answer?: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}))
      const accept = () => {
        const recipients = call.recipients.map((number, index) => {
          const messageId = `ATXid_${systemClock.now().getTime()}_${accepted++}`
          if (index === 0) ids.set(call.text, messageId)
          return { statusCode: 101, number, status: 'Success', cost: 'XOF 12.0000', messageId }
        })
        end(201, { SMSMessageData: { Message: 'Sent', Recipients: recipients } })
      }
      provider.answer(call, accept, end)
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  provider.url = `http://127.0.0.1:${port}`
  return provider
}

/** A recipient as the provider refuses it. */
export function refusal(call: ProviderCall, statusCode: number): unknown {
  return {
    SMSMessageData: {
      Message: 'Sent to 0',
      Recipients: call.recipients.map((number) => ({ statusCode, number, messageId: 'None', cost: '0' })),
    },
  }
}
