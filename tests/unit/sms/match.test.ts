import { describe, expect, test } from 'vitest'
import { loadI18n } from '../../../src/i18n.ts'
import { fold } from '../../../src/sms/fold.ts'
import { createMatcher } from '../../../src/sms/match.ts'

const match = createMatcher(loadI18n('locales'))
const keywordOf = (text: string) => match(fold(text), ['fr', 'en', 'wo'])?.keyword.name

describe('keywords', () => {
  test.each([
    ['STOP', 'stop'],
    ['stop', 'stop'],
    [' Stop. ', 'stop'],
    ['"STOP"', 'stop'],
    ['ARRET', 'stop'],
    ['Arrêt', 'stop'],
    ['ARRE\u0302T', 'stop'],
    ['arrêter svp', 'stop'],
    ['unsubscribe', 'stop'],
    ['START', 'start'],
    ['SOLDE', 'balance'],
    ['mon solde svp', 'balance'],
    ['Balance?', 'balance'],
    ['xaalis', 'balance'],
    ['date', 'due'],
    ['échéance', 'due'],
    ['Due date', 'due'],
    ['bés', 'due'],
    ['àpp', 'due'],
    ['Réunion', 'meeting'],
    ['REUNION', 'meeting'],
    ['ndaje', 'meeting'],
    ['AIDE', 'help'],
    ['?', 'help'],
    ['ndimbal', 'help'],
    ['LANGUE wo', 'language'],
    ['làkk', 'language'],
    ['¡stop', 'stop'],
  ])('%s means %s in any language of the programme', (text, keyword) => {
    expect(keywordOf(text)).toBe(keyword)
  })

  test.each(['', '   ', 'stopping', 'soldes', '1', '🙂', 'bonjour', 'مرحبا', 'solder'])(
    '%j is not understood',
    (text) => {
      expect(keywordOf(text)).toBeUndefined()
    },
  )

  test('what follows the keyword is handed on, folded', () => {
    expect(match(fold('Langue  WOLOF!'), ['fr'])?.rest).toBe('wolof')
  })

  test('only languages of the programme count', () => {
    expect(match(fold('ndaje'), ['fr', 'en'])).toBeUndefined()
  })

  test('a text of 2,000 signs is compared by its beginning alone', () => {
    expect(keywordOf(`stop ${'*'.repeat(2_000)}`)).toBe('stop')
    expect(fold('x'.repeat(2_000))).toHaveLength(200)
  })
})
