// `tama pin-reset MEMBER FACILITATOR`: in person, at the meeting; she chooses a new PIN at her next dial.
import { RequestError } from '../errors.ts'
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

export const registerPinReset: Register = (cli) => {
  cli
    .command(
      'pin-reset <member> <facilitator>',
      "Take a member's PIN and lock away, as the facilitator of her group (phone) has seen her in person",
    )
    .option('--programme <code>', 'The programme she belongs to')
    .action(async (member: string, facilitator: string, options: { programme?: unknown }) => {
      const { programme: code } = options
      if (typeof code !== 'string') throw new UsageError('Name the programme: --programme CODE.')
      const { resetPinInPerson } = await import('../members/pin-reset.ts')
      const { parseMsisdn } = await import('../msisdn.ts')
      await withRuntime(async (runtime) => {
        const { db, clock } = runtime
        const programme = await programmeByCode(runtime, code)
        const phone = parseMsisdn(String(facilitator), programme.country)
        if (phone === undefined) throw new UsageError('The facilitator is named by her phone number.')
        const reset = { programmeId: programme.id, member: String(member), confirmedBy: phone }
        await db
          .transaction((tx) => resetPinInPerson(tx, { ...reset, actor: 'operator', at: clock.now() }))
          .catch((error: unknown) => {
            throw error instanceof RequestError ? new UsageError(error.message) : error
          })
        console.log('Her PIN is reset: she chooses a new one at her next dial.')
      })
    })
}
