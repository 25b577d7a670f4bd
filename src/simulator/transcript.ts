// In: what a visitor of the phone page dials and types, and the screens that come. Out: each phone's last dialogue as a recorded test.
// Must never keep a PIN: what may be one is forgotten as it is typed, and a placeholder stands in its place.
import { stringify } from 'yaml'
import type { PinScreens } from '../ussd/pin-screens.ts'
import type { PhoneChoice } from './demo-phones.ts'
import type { UssdScreen } from './dialogues.ts'

interface Step {
  dial?: string
  type?: string
  expect: string
}

interface Transcript {
  /** First, and last of all. */
  dialledAt: Date
  shownAt: Date
  steps: Step[]
  /** The last screen asked for a PIN. */
  asksPin: boolean
}

export type Transcripts = ReturnType<typeof createTranscripts>

/** No PIN is that short; these are options and navigation, and what the engine itself takes for them on a deep dial. */
const option = /^\d{1,2}$/
/** So long Tama offers to go on where a dialogue broke off: what came before belongs to it. */
const resumeMs = 10 * 60_000
const stepsMax = 200
const navigation: readonly string[] = ['0', '00', '98']

export function createTranscripts(pins: PinScreens) {
  const byPhone = new Map<string, Transcript>()

  /** On a screen that asks for a PIN only navigation is kept; elsewhere all that is as short as an option: a PIN may come early. */
  function withoutPin(typed: string, asksPin: boolean): string {
    return typed
      .split('*')
      .map((part, at) => {
        const isKept = at === 0 && asksPin ? navigation.includes(part) : option.test(part)
        return isKept || part === '' ? part : '{pin}'
      })
      .join('*')
  }

  function show(transcript: Transcript, step: Omit<Step, 'expect'>, screen: UssdScreen, now: Date): void {
    // The network's own words are no answer of Tama's.
    if (screen.source === 'failed') return
    const fault = transcript.asksPin ? pins.faultIn(screen.text) : undefined
    const type = fault === undefined ? step.type : step.type?.replace('{pin}', `{${fault} pin}`)
    const said = { ...step, ...(type === undefined ? {} : { type }) }
    transcript.steps.push({ ...said, expect: `${screen.open ? 'CON' : 'END'} ${screen.text}\n` })
    transcript.shownAt = now
    transcript.asksPin = pins.asks(screen.text)
  }

  return {
    /** Begins a transcript, or goes on with one that broke off. `code` is all that was dialled. */
    dialled({ id, serviceCode }: PhoneChoice, code: string, screen: UssdScreen, now: Date): void {
      const stem = serviceCode.replace(/#$/, '')
      const inner = code.replace(/#$/, '')
      const before = byPhone.get(id)
      byPhone.delete(id)
      // Another programme's code, or none: not a dialogue of this phone's programme.
      if (inner !== stem && !inner.startsWith(`${stem}*`)) return
      const transcript = before !== undefined && brokeOff(before, now) ? before : begin(now)
      transcript.asksPin = false
      byPhone.set(id, transcript)
      show(transcript, { dial: withoutPin(inner.slice(stem.length + 1), false) }, screen, now)
    },
    typed({ id }: PhoneChoice, typed: string, screen: UssdScreen, now: Date): void {
      const transcript = byPhone.get(id)
      if (transcript !== undefined)
        show(transcript, { type: withoutPin(typed, transcript.asksPin) }, screen, now)
    },
    /** In the form of the recorded dialogues in tests/conversations; undefined when nothing was dialled. */
    yamlOf(phone: PhoneChoice): string | undefined {
      const transcript = byPhone.get(phone.id)
      if (transcript === undefined || transcript.steps.length === 0) return undefined
      const { programme, msisdn, serviceCode, scene } = phone
      const demo = {
        programme: programme.name,
        madeUpAt: (programme.madeUpAt ?? transcript.dialledAt).toISOString(),
        dialledAt: transcript.dialledAt.toISOString(),
      }
      const name = `${programme.title.en}, ${scene} phone ${msisdn}`
      const recorded = { name, from: msisdn, serviceCode, demo, steps: transcript.steps }
      return `# Played on the demo's phone page; every PIN is a placeholder.\n${stringify(recorded, { lineWidth: 0, blockQuote: 'literal' })}`
    },
  }
}

const begin = (now: Date): Transcript => ({ dialledAt: now, shownAt: now, steps: [], asksPin: false })

function brokeOff({ steps, shownAt }: Transcript, now: Date): boolean {
  const isOpen = steps.at(-1)?.expect.startsWith('CON ') === true
  return isOpen && steps.length < stepsMax && now.getTime() - shownAt.getTime() < resumeMs
}
