// One thing has one name: what a language's glossary calls it is what its screens and messages say.
import { describe, expect, test } from 'vitest'
import { loadI18n, type Namespace } from '../../src/i18n.ts'

const i18n = loadI18n('locales')

const terms =
  'money loan instalment pay amount outstanding savings deposit withdrawal interest fee due_date late meeting training group member president treasurer facilitator guarantor help message language code receipt correction insurance'.split(
    ' ',
  )

/** Texts that speak of a thing, and so must name it. */
const named: Readonly<Record<string, readonly string[]>> = {
  loan: ['ussd member.account.options.loan', 'ussd member.loan.heading', 'ussd member.schedule.heading'],
  outstanding: ['ussd member.account.outstanding', 'ussd member.loan.outstanding', 'sms part.outstanding'],
  savings: [
    'ussd member.account.savings',
    'ussd member.account.options.savings',
    'ussd member.savings.savings',
    'sms part.savings',
  ],
  deposit: [
    'ussd member.movements.options.savings_deposit',
    'ussd member.movement.savings_deposit',
    'sms part.movement.savings_deposit',
    'sms receipt.savings_deposit.full',
  ],
  withdrawal: [
    'ussd member.movements.options.savings_withdrawal',
    'ussd member.movement.savings_withdrawal',
    'sms part.movement.savings_withdrawal',
    'sms receipt.savings_withdrawal.full',
  ],
  fee: ['ussd member.movements.options.fee', 'ussd member.movement.fee', 'sms part.movement.fee'],
  late: ['ussd member.loan.overdue'],
  meeting: [
    'ussd member.home.options.meeting',
    'ussd member.meeting.meeting',
    'ussd common.reasons.meeting_gone',
    'sms reminder.meeting.discreet',
    'sms reminder.meeting.full',
  ],
  training: [
    'ussd member.home.options.training',
    'ussd member.training.training',
    'sms reminder.training.discreet',
    'sms reminder.training.full',
  ],
  help: ['ussd member.home.options.help', 'ussd public.home.options.help'],
  language: ['ussd member.settings.options.language', 'ussd member.language.text'],
  code: ['ussd member.pin.text', 'ussd member.pin_new.text', 'ussd common.reasons.pin_wrong'],
  receipt: ['ussd member.movement.code', 'ussd member.verified.found', 'sms part.receipt'],
  correction: ['ussd member.movement.adjustment', 'sms part.movement.adjustment'],
  facilitator: ['ussd member.help.facilitator', 'ussd public.home.text'],
}

const textsOf = (tag: string): [where: string, text: string][] =>
  (['ussd', 'sms'] as const).flatMap((namespace: Namespace) =>
    [...i18n.keys(tag, namespace)].map((key): [string, string] => [
      `${namespace} ${key}`,
      i18n.text(tag, namespace, key).replace(/\{\{\w+\}\}/g, ' '),
    ]),
  )
const small = (text: string) => text.toLowerCase()

describe.each(i18n.bases)('the glossary of %s', (tag) => {
  const glossary = i18n.glossary(tag)
  const texts = textsOf(tag)

  test('has every term, with the word among its forms and a source', () => {
    expect(Object.keys(glossary).sort()).toEqual([...terms].sort())
    for (const [term, { word, forms, source }] of Object.entries(glossary)) {
      expect(forms.map(small), term).toContain(small(word))
      expect(source, term).not.toBe('')
    }
  })

  test('is what the texts say', () => {
    const all = new Map(texts)
    const misnamed = Object.entries(named).flatMap(([term, places]) =>
      places
        .filter((place) => {
          const text = small(all.get(place) ?? '')
          return !glossary[term]?.forms.some((form) => text.includes(small(form)))
        })
        .map((place) => `${term}: ${place}: ${all.get(place)} (${glossary[term]?.forms.join(', ')})`),
    )
    expect(misnamed).toEqual([])
  })

  test('names misleading words that no text holds', () => {
    const said = Object.entries(glossary).flatMap(([term, { avoid }]) =>
      avoid.flatMap((word) => {
        const found = new RegExp(`(?<![\\p{L}\\p{M}])${small(word)}(?![\\p{L}\\p{M}])`, 'u')
        return texts
          .filter(([, text]) => found.test(small(text)))
          .map(([where]) => `${term}: "${word}" in ${where}`)
      }),
    )
    expect(said).toEqual([])
  })

  test('is consistent: no two things that a screen tells apart have one name', () => {
    for (const [one, other] of [
      ['loan', 'savings'],
      ['deposit', 'withdrawal'],
      ['meeting', 'training'],
      ['savings', 'outstanding'],
    ] as const)
      expect(small(glossary[one]?.word ?? ''), `${one} and ${other}`).not.toBe(
        small(glossary[other]?.word ?? ''),
      )
  })
})
