// Replays a recorded dialogue over HTTP, with the form fields that the provider sends. A placeholder in braces stands for a PIN. With TAMA_RECORD=1 it writes the answers
// that it gets into the file; read every one of them before you keep it.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseDocument, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml'
import { z } from 'zod'
import { septetsOf } from '../../src/encoding.ts'
import { demoPin } from '../../src/simulator/demo-members.ts'
import { profileNames } from '../../src/simulator/profile.ts'
import { callbackSecret, numbers, type Person, testPin } from './ussd.ts'

const person = z.enum(Object.keys(numbers) as [Person, ...Person[]])

const stepSchema = z.strictObject({
  /** Begins a new session; text is what was dialled after the code ("" or "1*2"). */
  dial: z.string().optional(),
  /** One more input: joined to the path with "*". */
  type: z.string().optional(),
  /** The whole path as it comes, for lost, late and repeated callbacks. */
  text: z.string().optional(),
  /** So many letters instead of a text. */
  letters: z.number().int().optional(),
  /** Seconds that pass before. */
  wait: z.number().optional(),
  from: person.optional(),
  /** The same callback so many times. */
  repeat: z.number().int().optional(),
  /** The same callback so many times at once. */
  together: z.number().int().optional(),
  /** A deployment with another menu version before this step. */
  menuVersion: z.number().int().optional(),
  expect: z.string().optional(),
})

export type DialogueStep = z.infer<typeof stepSchema>

const dialogueSchema = z.strictObject({
  name: z.string(),
  /** One of the recorded dialogues' people, or a demo phone's number. */
  from: z.union([person, z.e164()]),
  serviceCode: z.string().optional(),
  /** What the programme allows its treasurers. */
  treasurerSeesMembers: z.boolean().optional(),
  /** Saved on the phone page: against which programme, made up when, dialled when. */
  demo: z
    .strictObject({
      programme: z.enum(profileNames),
      madeUpAt: z.iso.datetime(),
      dialledAt: z.iso.datetime(),
    })
    .optional(),
  steps: z.array(stepSchema).min(1),
})

/** What stands in a file in the place of a PIN that was typed, and what is typed for it. */
const wrongPins: Readonly<Record<string, string>> = {
  '{wrong pin}': '9514',
  '{malformed pin}': '999',
  '{weak pin}': '1234',
  '{different pin}': '6058',
}

export type RecordedDialogue = z.infer<typeof dialogueSchema>

export function readDialogue(file: string): RecordedDialogue {
  return dialogueSchema.parse(parseDocument(readFileSync(file, 'utf8')).toJS())
}

export interface Played {
  step: DialogueStep
  replies: string[]
  /** Septets that the network would show, or undefined outside GSM-7. */
  septets: number | undefined
  first: boolean
}

export interface PlayOptions {
  url: string
  advanceMs(ms: number): void
  useMenuVersion(version: number): void
  /** Makes session ids of this dialogue its own. */
  label: string
}

export async function playDialogue(dialogue: RecordedDialogue, options: PlayOptions): Promise<Played[]> {
  let from: Person | string = dialogue.from
  const pin = dialogue.demo === undefined ? testPin : demoPin
  const withPin = (typed: string) =>
    typed.replace(/\{[a-z ]+\}/g, (mark) => (mark === '{pin}' ? pin : (wrongPins[mark] ?? mark)))
  let session = 0
  let text = ''
  const played: Played[] = []
  for (const step of dialogue.steps) {
    if (step.wait !== undefined) options.advanceMs(step.wait * 1000)
    if (step.menuVersion !== undefined) options.useMenuVersion(step.menuVersion)
    from = step.from ?? from
    const typed = step.letters === undefined ? withPin(step.type ?? '') : 'x'.repeat(step.letters)
    const types = step.letters !== undefined || step.type !== undefined
    const first = step.dial !== undefined
    if (step.dial !== undefined) {
      session += 1
      text = withPin(step.dial)
    } else if (step.text !== undefined) text = step.text
    else if (types) text = text === '' ? typed : `${text}*${typed}`
    const fields = {
      sessionId: `ATUid_${options.label}_${session}`,
      phoneNumber: isPerson(from) ? numbers[from] : from,
      networkCode: '60801',
      serviceCode: dialogue.serviceCode ?? '*384*1#',
      text,
    }
    const replies: string[] = []
    for (let time = 0; time < (step.repeat ?? 1); time += 1)
      replies.push(
        ...(await Promise.all(Array.from({ length: step.together ?? 1 }, () => post(options.url, fields)))),
      )
    played.push({ step, replies, septets: septetsOf((replies[0] ?? '').slice(4)), first })
  }
  return played
}

const isPerson = (from: string): from is Person => Object.hasOwn(numbers, from)

async function post(url: string, fields: Record<string, string>): Promise<string> {
  const response = await fetch(`${url}/callbacks/africastalking/${callbackSecret}/ussd`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  return response.text()
}

/** Writes the answers into the file, comments and order kept. */
export function record(file: string, played: readonly Played[]): void {
  const document = parseDocument(readFileSync(file, 'utf8'))
  const steps = document.get('steps') as YAMLSeq
  for (const [index, { replies }] of played.entries()) {
    const step = steps.items[index] as YAMLMap
    const value = document.createNode(`${replies[0] ?? ''}\n`) as Scalar
    value.type = 'BLOCK_LITERAL'
    step.set('expect', value)
  }
  writeFileSync(file, document.toString({ lineWidth: 0 }))
}
