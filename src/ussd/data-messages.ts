// In: a member. Out: what the screens show of the messages that she allows, of the hours for them, and what she is asked about them.
import { consentPurposes, readConsents, type SmsHours } from '../members/consent.ts'
import { type ProgrammeInfo, unblockCodeOf } from '../members/programmes.ts'
import type { DataContext, DataOption, Line, Samples, Source } from './data.ts'

const nothing = () => ({})
const hoursSample = ({ time }: Samples) => ({ from: time, until: time })

/** The member whom the screen is about; the gates have seen to it that there is one. */
export function memberIn(context: DataContext): string {
  const { memberId } = context.dialogue
  if (memberId === undefined) throw new RangeError(`State ${context.dialogue.state} needs a member`)
  return memberId
}

/** Hours that she may choose from, where they meet the programme's. Staff can set others. */
const hoursOffered: readonly SmsHours[] = [
  { from: 480, until: 720 },
  { from: 600, until: 960 },
  { from: 720, until: 960 },
  { from: 960, until: 1_200 },
]

/** "600-960", the value of an option; undefined for the programme's own hours. Throws for what no screen offered. */
export function hoursOfValue(value: string): SmsHours | undefined {
  if (value === 'any') return undefined
  const found = hoursOffered.find(({ from, until }) => value === `${from}-${until}`)
  if (found === undefined) throw new RangeError('Hours that no screen offered')
  return found
}

function hoursWithin({ sendFromMinute, sendUntilMinute }: ProgrammeInfo): SmsHours[] {
  return hoursOffered.filter(({ from, until }) => from < sendUntilMinute && until > sendFromMinute)
}

const hoursValues = ({ i18n, language }: DataContext, { from, until }: SmsHours) => ({
  from: i18n.time(language, from),
  until: i18n.time(language, until),
})

/** That her network refuses our messages, and what she can do about it: we cannot undo it for her. */
function blockLine({ programme, networkCode }: DataContext): Line {
  const code = unblockCodeOf(programme, networkCode)
  return code === undefined ? { name: 'blocked_ask', values: {} } : { name: 'blocked_dial', values: { code } }
}

export const messageSources: Readonly<Record<string, Source>> = {
  /** Which messages she has; choosing one turns it the other way. The option's value says what will be, so twice is once. */
  consents: {
    texts: { stopped: nothing, blocked_dial: ({ code }) => ({ code }), blocked_ask: nothing },
    alone: ['stopped', 'blocked_ask'],
    optionTexts: Object.fromEntries(
      consentPurposes.flatMap((purpose) => [
        [`${purpose}_on`, nothing],
        [`${purpose}_off`, nothing],
      ]),
    ),
    optionsMax: consentPurposes.length,
    facts: ['stopped', 'not_stopped'],
    ofMember: true,
    async load(context) {
      const { stopped, granted, networkBlocked } = await readConsents(context.db.reads, memberIn(context))
      const lines: Line[] = networkBlocked ? [blockLine(context)] : []
      if (stopped) return { lines: [...lines, { name: 'stopped', values: {} }], facts: ['stopped'] }
      const options = consentPurposes.map((purpose) => {
        const on = granted[purpose]
        return {
          value: `${purpose}:${on ? 'off' : 'on'}`,
          name: `${purpose}_${on ? 'on' : 'off'}`,
          values: {},
        }
      })
      return { lines, options, facts: ['not_stopped'] }
    },
  },

  /** The question what we may send her, in the words whose version is recorded with her answer. */
  consent_wording: {
    texts: { ask: ({ wording }) => ({ wording }) },
    ofMember: false,
    load: ({ i18n, language }) =>
      Promise.resolve({
        lines: [{ name: 'ask', values: { wording: i18n.language(language).consent.wording } }],
      }),
  },

  /** The hours in which SMS may reach her, and what else she may choose. */
  hours: {
    texts: { now: hoursSample },
    optionsMax: hoursOffered.length + 1,
    labels: (i18n, tag) =>
      [...hoursOffered, { from: 0, until: 1_439 }].map(({ from, until }) => ({
        label: `${i18n.time(tag, from)} - ${i18n.time(tag, until)}`,
        labelLanguage: tag,
      })),
    ofMember: true,
    async load(context) {
      const { hours } = await readConsents(context.db.reads, memberIn(context))
      const { sendFromMinute: from, sendUntilMinute: until } = context.programme
      const all = { value: 'any', hours: { from, until } }
      const offered = hoursWithin(context.programme).map((some) => ({
        value: `${some.from}-${some.until}`,
        hours: some,
      }))
      const options: DataOption[] = [all, ...offered].map((one) => {
        const shown = hoursValues(context, one.hours)
        return { value: one.value, label: `${shown.from} - ${shown.until}`, labelLanguage: context.language }
      })
      return { lines: [{ name: 'now', values: hoursValues(context, hours ?? all.hours) }], options }
    },
  },
}
