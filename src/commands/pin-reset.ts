// `tama pin-reset MEMBER FACILITATOR`: in person, at the meeting; she chooses a new PIN at her next dial.
// `tama pin-reset --staff PHONE ADMINISTRATOR`: the same for the PIN of the staff menu.
import { RequestError } from '../errors.ts'
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

export const registerPinReset: Register = (cli) => {
  cli
    .command(
      'pin-reset <whose> <confirmed-by>',
      "Take a member's PIN and lock away, as the facilitator of her group (phone) has seen her in person; with --staff that of staff (phone), as an administrator (phone) has",
    )
    .option('--programme <code>', 'The programme she belongs to')
    .option('--staff', 'The PIN of the staff menu')
    .action(async (whose: string, confirmedBy: string, options: { programme?: unknown; staff?: unknown }) => {
      const { programme: code } = options
      if (typeof code !== 'string') throw new UsageError('Name the programme: --programme CODE.')
      const ofStaff = options.staff === true
      const { resetPinAndClose } = await import('../cases/pin-reset.ts')
      const { resetStaffPin } = await import('../members/staff-pin-reset.ts')
      const { parseMsisdn } = await import('../msisdn.ts')
      await withRuntime(async (runtime) => {
        const { db, clock } = runtime
        const programme = await programmeByCode(runtime, code)
        const phoneOf = (written: string, who: string) => {
          const msisdn = parseMsisdn(String(written), programme.country)
          if (msisdn === undefined) throw new UsageError(`${who} is named by the phone number.`)
          return msisdn
        }
        const by = phoneOf(confirmedBy, ofStaff ? 'The administrator' : 'The facilitator')
        const written = { programmeId: programme.id, actor: 'operator', at: clock.now() }
        const staff = ofStaff ? { msisdn: phoneOf(whose, 'Who works for the programme') } : undefined
        await db
          .transaction((tx) =>
            staff === undefined
              ? resetPinAndClose(tx, { ...written, member: String(whose), confirmedBy: by })
              : resetStaffPin(tx, { ...written, staff, confirmedBy: { msisdn: by } }),
          )
          .catch((error: unknown) => {
            throw error instanceof RequestError ? new UsageError(error.message) : error
          })
        console.log('The PIN is reset: a new one is chosen at the next dial.')
      })
    })
}
