import { describe, expect, test } from 'vitest'
import { loadI18n } from '../../../src/i18n.ts'
import { fold } from '../../../src/sms/fold.ts'
import { createMatcher } from '../../../src/sms/match.ts'

const match = createMatcher(loadI18n('locales'))
const keywordOf = (text: string) => match(fold(text), ['fr', 'en', 'wo'])?.keyword.name

test('letters that keyboards for Arabic, Persian and Urdu write differently are the same', () => {
  expect(fold('كمك')).toBe(fold('کمک'))
  expect(fold('علي')).toBe(fold('علی'))
})

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

  test.each([
    'STOP please',
    'ARRET SVP',
    'Please stop',
    "S'il vous plaît, arrêtez vos messages",
    'I want you to stop sending me messages',
    "arrête de m'envoyer des sms",
    'je veux arrêter les messages',
    'STOP I do not know who you are',
    'Arretez! Ce téléphone est à mon mari',
    'svp désabonnez ce numéro',
    'cancel all messages',
    'END',
    'end pls',
    'fin',
    'Stop all',
    'yónnee STOP',
    'plus de SMS svp',
  ])('%j is a real STOP', (text) => {
    expect(keywordOf(text)).toBe('stop')
  })

  test.each([
    'end of month payment',
    'fin du mois',
    'Cancel my meeting on Friday',
    'quit the group',
    'arrêt de bus',
    'arret maladie de ma mere',
    'fin de formation le 3',
  ])('%j only begins with a word that can mean STOP', (text) => {
    expect(keywordOf(text)).toBeUndefined()
  })

  test('messages begin again by a clear START alone, not by a sentence', () => {
    expect(['START svp', 'reprendre les messages', 'please start'].map(keywordOf)).toEqual(
      Array(3).fill('start'),
    )
    expect(['start of the training', 'resume my loan', 'reprendre le commerce'].map(keywordOf)).toEqual(
      Array(3).fill(undefined),
    )
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
