// In: a language. Out: everyday values in it, beside the longest ones of the proof, for pages that people read.
import { Decimal } from 'decimal.js'
import type { I18n } from '../i18n.ts'
import type { ProgrammeFace } from '../imports/programme.ts'
import { currencyExponent } from '../money.ts'
import { fitValue, nameCharactersMax, placeCharactersMax, titleCharactersMax } from '../outbound/wording.ts'
import { languageChoices } from '../sms/choices.ts'
import type { Samples } from '../ussd/data.ts'

/** Where no programme is named. */
export const exampleFace: ProgrammeFace = {
  name: 'FANSOTO',
  serviceCode: '*384*1',
  senderId: 'FANSOTO',
  officePhone: '+221339911234',
}

const day = '2026-11-25'
const place = 'Boucotte'
const receipt = '482916'

export function plainSamples(i18n: I18n, tag: string, currency: string, face: ProgrammeFace): Samples {
  const amount = plainAmount(i18n, tag, currency)
  return {
    amount,
    signedAmount: `-${amount}`,
    date: i18n.date(tag, day),
    time: i18n.time(tag, 10 * 60),
    place,
    title: 'Module 3',
    count: i18n.number(tag, 3),
    phone: face.officePhone ?? '',
    code: `${face.serviceCode}#`,
    number: 'L-118',
    wording: i18n.language(tag).consent.wording,
    alias: 'Awa',
    names: 'Awa, Fatou, Mariama',
    longNames: 'Awa 4/6, Fatou 5/6',
    sentence: 'Module 3',
    written: 'Module 3',
    notice: 'Module 3',
  }
}

function plainAmount(i18n: I18n, tag: string, currency: string): string {
  return i18n.amount(tag, new Decimal(currencyExponent(currency) === 0 ? '27383' : '41.75'), currency)
}

/** Values of an SMS, by its key: parts stand in it as they do when it is sent. */
export function plainSmsValues(
  i18n: I18n,
  tag: string,
  { currencyCode, languages }: { currencyCode: string; languages: readonly string[] },
  face: ProgrammeFace,
): (key: string) => Readonly<Record<string, string>> {
  const info = i18n.language(tag)
  const amount = plainAmount(i18n, tag, currencyCode)
  const date = i18n.date(tag, day)
  const part = (name: string, values: Record<string, string>) => i18n.text(tag, 'sms', `part.${name}`, values)
  const outstanding = part('outstanding', { balance: amount })
  const words = ['loan_repayment', 'savings_deposit'].map((kind) => part(`movement.${kind}`, {}))
  const same = {
    sender: face.senderId,
    code: `${face.serviceCode}#`,
    unblock: '*456*9*5*5#',
    office: face.officePhone ?? '',
    name: fitValue('Awa Diatta', info, nameCharactersMax),
    facilitator: 'Seynabou',
    signature: part('signature', { facilitator: 'Seynabou' }),
    place: fitValue(place, info, placeCharactersMax),
    title: fitValue('Module 3', info, titleCharactersMax),
    amount,
    balance: amount,
    due: amount,
    date,
    dueDate: date,
    time: i18n.time(tag, 10 * 60),
    receipt,
    digits: '482916',
    group: 'G001',
    groups: 'G001, G002',
    members: '25',
    others: '3',
    pieces: '1',
    left: '4',
    lines: words.map((word) => `${i18n.shortDate(tag, day)} ${word} ${amount}`).join(', '),
    choices: languageChoices(i18n, languages, info.gsm7 === null),
  }
  return (key) => ({
    ...same,
    parts: key.startsWith('correction.')
      ? outstanding
      : `${outstanding} ${part('savings', { balance: amount })}`,
    proof: part(key.endsWith('.discreet') ? 'proof' : 'receipt', { receipt }),
  })
}
