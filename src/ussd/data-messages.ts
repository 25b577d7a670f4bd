// In: a member. Out: what the screens show of the messages that she allows, and what she is asked about them.
import { consentPurposes, readConsents } from '../members/consent.ts'
import { memberIn, type Source } from './data.ts'

const nothing = () => ({})

export const messageSources: Readonly<Record<string, Source>> = {
  /** Which messages she has; choosing one turns it the other way. The option's value says what will be, so twice is once. */
  consents: {
    texts: { stopped: nothing },
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
      const { stopped, granted } = await readConsents(context.db.reads, memberIn(context))
      if (stopped) return { lines: [{ name: 'stopped', values: {} }], facts: ['stopped'] }
      const options = consentPurposes.map((purpose) => {
        const on = granted[purpose]
        return {
          value: `${purpose}:${on ? 'off' : 'on'}`,
          name: `${purpose}_${on ? 'on' : 'off'}`,
          values: {},
        }
      })
      return { lines: [], options, facts: ['not_stopped'] }
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
}
