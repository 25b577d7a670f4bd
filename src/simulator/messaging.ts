// In: one send call in Africa's Talking's form. Out: its per-recipient answer, messages in the phones' inboxes, a bill.
// Must never answer anything that the real service is not documented or seen to answer.
import { Decimal } from 'decimal.js'
import parsePhoneNumber from 'libphonenumber-js/max'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { measureSms } from '../encoding.ts'
import { type Faults, recipientStatuses } from './faults.ts'
import type { Handsets, PhoneMessage } from './handsets.ts'
import type { Random } from './random.ts'

/** The form of POST /version1/messaging; fields of premium messages are taken and ignored. */
export const sendCallSchema = z.looseObject({
  username: z.string().min(1),
  to: z.string().min(1),
  message: z.string().min(1),
  from: z.string().min(1).optional(),
  bulkSMSMode: z.string().optional(),
  enqueue: z.string().optional(),
})
export type SendCall = z.output<typeof sendCallSchema>

export interface Recipient {
  statusCode: number
  number: string
  status: string
  cost: string
  messageId: string
  messageParts: number
}

export interface SendAnswer {
  SMSMessageData: { Message: string; Recipients: Recipient[] }
}

export interface MessagingOptions {
  currency: string
  /** Decimal text, a segment ["0.8000" in the caller]. */
  segmentCost: string
  /** Decimal text; a message that costs more than what is left gets 405. */
  balance: string
  /** Undefined: every sender ID is taken. An unknown one gets no recipients and "InvalidSenderId". */
  senderIds: readonly string[] | undefined
  /** Text that the network puts behind the first message of a sender to a subscriber, for example "\nSTOP *456*9*5#". */
  optOutTail: string | undefined
  /** Subscribers remembered for the tail and for opt-outs; the oldest are forgotten first. */
  subscribersMax: number
}

export interface Bill {
  currency: string
  /** Decimal text with four places. */
  total: string
  messages: number
  segments: number
}

export interface MessagingDeps {
  clock: Clock
  random: Random
  handsets: Handsets
  options: MessagingOptions
  deliver(msisdn: string, message: PhoneMessage): void
}

export type Messaging = ReturnType<typeof createMessaging>

export function createMessaging(deps: MessagingDeps) {
  const { clock, random, handsets, options } = deps
  const segmentCost = new Decimal(options.segmentCost)
  const optedOut = new Set<string>()
  const greeted = new Set<string>()
  let balance = new Decimal(options.balance)
  let total = new Decimal(0)
  let messages = 0
  let segments = 0

  const priced = (amount: Decimal) => `${options.currency} ${amount.toFixed(4)}`

  /** The message with the tail that the network adds, and whether it was added. */
  function textFor(number: string, call: SendCall): { text: string; greets: string | undefined } {
    const subscriber = `${call.from ?? ''} ${number}`
    if (options.optOutTail === undefined || greeted.has(subscriber))
      return { text: call.message, greets: undefined }
    return { text: call.message + options.optOutTail, greets: subscriber }
  }

  function codeFor(number: string, cost: Decimal, call: SendCall, faults: Faults): number {
    const code = faults.everyRecipient ?? faults.recipients[number] ?? refusalOf(number)
    if (code !== undefined) return code
    if (optedOut.has(number) || faults.blacklist.includes(number)) return 406
    if (cost.greaterThan(balance)) return 405
    return call.enqueue === '1' ? 102 : 101
  }

  function accept(number: string, call: SendCall, text: string, cost: Decimal): PhoneMessage {
    const measure = measureSms(text)
    balance = balance.minus(cost)
    total = total.plus(cost)
    messages += 1
    segments += measure.segments
    const at = clock.now()
    const message: PhoneMessage = {
      id: `ATXid_${random.hex(32)}`,
      direction: 'received',
      peer: call.from ?? 'AFRICASTKNG',
      text,
      encoding: measure.encoding,
      segments: measure.segments,
      at,
      status: 'Accepted',
      history: [{ status: 'Accepted', at }],
      reported: false,
      cost: priced(cost),
    }
    handsets.add(number, message)
    deps.deliver(number, message)
    return message
  }

  function sendTo(number: string, call: SendCall, faults: Faults): { recipient: Recipient; cost: Decimal } {
    const { text, greets } = textFor(number, call)
    const parts = measureSms(text).segments
    const cost = segmentCost.times(parts)
    const statusCode = codeFor(number, cost, call, faults)
    const status = recipientStatuses[statusCode] ?? 'Unknown'
    if (statusCode > 102) {
      const refused = { statusCode, number, status, cost: '0', messageId: 'None', messageParts: 0 }
      return { recipient: refused, cost: new Decimal(0) }
    }
    if (greets !== undefined) remember(greeted, greets, options.subscribersMax)
    const { id } = accept(number, call, text, cost)
    return {
      recipient: { statusCode, number, status, cost: priced(cost), messageId: id, messageParts: parts },
      cost,
    }
  }

  return {
    send(call: SendCall, faults: Faults): SendAnswer {
      if (call.from !== undefined && options.senderIds?.includes(call.from) === false)
        return { SMSMessageData: { Message: 'InvalidSenderId', Recipients: [] } }
      const sent = call.to.split(',').map((number) => sendTo(number.trim(), call, faults))
      const cost = sent.reduce((sum, one) => sum.plus(one.cost), new Decimal(0))
      const accepted = sent.filter((one) => one.recipient.statusCode <= 102).length
      return {
        SMSMessageData: {
          Message: `Sent to ${accepted}/${sent.length} Total Cost: ${accepted === 0 ? '0' : priced(cost)}`,
          Recipients: sent.map((one) => one.recipient),
        },
      }
    },
    optOut: (number: string) => remember(optedOut, number, options.subscribersMax),
    optIn: (number: string) => optedOut.delete(number),
    balance: () => priced(balance),
    bill: (): Bill => ({ currency: options.currency, total: total.toFixed(4), messages, segments }),
  }
}

/** 403 for what is no number, 404 for a fixed line; undefined for a number that can have SMS. */
function refusalOf(number: string): number | undefined {
  const parsed = /^\+[1-9]\d{6,14}$/.test(number) ? parsePhoneNumber(number) : undefined
  if (parsed === undefined || !parsed.isValid()) return 403
  return parsed.getType() === 'FIXED_LINE' ? 404 : undefined
}

function remember(set: Set<string>, item: string, itemsMax: number): void {
  set.add(item)
  const oldest = set.values().next().value
  if (set.size > itemsMax && oldest !== undefined) set.delete(oldest)
}
