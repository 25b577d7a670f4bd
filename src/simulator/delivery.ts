// In: an accepted message. Out: delivery reports as a network sends them: late, twice, out of order, or never.
import type { Clock } from '../clock.ts'
import type { Handsets, PhoneMessage } from './handsets.ts'
import type { Poster } from './poster.ts'
import type { Random } from './random.ts'

/** Final words of a delivery report, and the failureReason that goes with the bad ones. */
const failureReasons: Readonly<Record<string, string | undefined>> = {
  Failed: 'DeliveryFailure',
  Rejected: 'UserInBlackList',
  AbsentSubscriber: 'UserIsInactive',
}

export interface DeliveryOptions {
  /** From and to, drawn for each message; the intermediate report comes at half of it [0, 0]. */
  delayMs?: readonly [number, number]
  /** Weights of the last word: Success, Failed, Rejected, AbsentSubscriber, Expired, Buffered or any other word [Success alone]. */
  mix?: Readonly<Record<string, number>>
  /** Word of the report before the last one; undefined: none ["Sent"]. */
  intermediate?: string | undefined
  /** Shares from 0 to 1 [0]: of reports posted twice, of messages whose reports swap places, of reports never posted. */
  duplicateShare?: number
  reorderShare?: number
  lossShare?: number
}

export interface DeliveryDeps {
  clock: Clock
  handsets: Handsets
  poster: Poster
  random: Random
  networkCode: string
  options: DeliveryOptions
  /** The last word to a number whose network fails. */
  lastWord(msisdn: string): string | undefined
  counted(event: 'reports' | 'reportsLost' | 'reportsRefused'): void
}

export function createDelivery(deps: DeliveryDeps) {
  const { clock, handsets, poster, random } = deps
  const { delayMs = [0, 0], mix = { Success: 1 }, duplicateShare = 0, reorderShare = 0 } = deps.options
  const { lossShare = 0 } = deps.options
  const intermediate = 'intermediate' in deps.options ? deps.options.intermediate : 'Sent'

  /** Plans all that happens to a message after it was accepted. */
  return function deliver(msisdn: string, message: PhoneMessage): void {
    const finalDelayMs = random.between(delayMs[0], delayMs[1])
    const drawn = random.pick(mix)
    const words = [intermediate, deps.lastWord(msisdn) ?? drawn].filter((word) => word !== undefined)
    const delays = words.length === 1 ? [finalDelayMs] : [Math.floor(finalDelayMs / 2), finalDelayMs]
    if (random.chance(reorderShare)) delays.reverse()
    for (const [index, status] of words.entries()) {
      const lost = random.chance(lossShare)
      const copies = random.chance(duplicateShare) ? 2 : 1
      poster.plan(delays[index] ?? 0, () => report(msisdn, message, status, lost ? 0 : copies))
    }
  }

  async function report(msisdn: string, message: PhoneMessage, status: string, copies: number) {
    // The phone has it whatever order the reports take: an intermediate word does not take "Success" away again.
    const known = message.status === intermediate || message.history.length === 1
    if (known) handsets.setStatus(msisdn, message, status, clock.now())
    if (!poster.hasBase()) return
    if (copies === 0) {
      deps.counted('reportsLost')
      return
    }
    const form = {
      id: message.id,
      status,
      phoneNumber: msisdn,
      networkCode: deps.networkCode,
      failureReason: failureReasons[status],
    }
    await Promise.all(
      Array.from({ length: copies }, () =>
        poster.deliver('delivery', form, (ok) => {
          deps.counted(ok ? 'reports' : 'reportsRefused')
          if (ok && message.status === status) handsets.setReported(msisdn, message)
        }),
      ),
    )
  }
}
