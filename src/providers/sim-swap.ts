// In: a number. Out: the provider's name for the question whether it has a new SIM; the answer comes by callback.
// Through the official SDK's insights. Nothing is learnt here that may be kept: the answer is read where it arrives.
import { z } from 'zod'
import { SendError } from '../errors.ts'
import { type AfricasTalkingOptions, sdkFor } from './africastalking.ts'

export interface SimSwapCheck {
  /** Rejects with a SendError when the question was not taken. */
  ask(msisdn: string): Promise<string>
}

const taken = z.object({ requestId: z.string().min(1).max(200), status: z.string() })
/** One question a call, so that its name can stand in either place. */
const answerSchema = z.union([
  taken.transform(({ requestId }) => requestId),
  z.object({ responses: z.array(taken).min(1) }).transform(({ responses }) => responses[0]?.requestId ?? ''),
])

/** The insights API has a host of its own; an emulator has one for everything. */
export function createSimSwapCheck(options: AfricasTalkingOptions): SimSwapCheck {
  const base = options.baseUrl.replace(/\/+$/, '').replace('://api.', '://insights.')
  const { INSIGHTS } = sdkFor(options, `${base}/v1/sim-swap`)
  return {
    async ask(msisdn) {
      let answer: unknown
      try {
        answer = await INSIGHTS.checkSimSwapState([msisdn])
      } catch (cause) {
        throw new SendError('send.refused_connection', { cause })
      }
      const parsed = answerSchema.safeParse(answer)
      if (!parsed.success) throw new SendError('send.broken_answer')
      return parsed.data
    },
  }
}
