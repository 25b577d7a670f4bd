import { describe, expect, test } from 'vitest'
import {
  caseKinds,
  caseRuleOf,
  caseRulesSchema,
  ownerRoles,
  ownersAfter,
  ownersInTurn,
} from '../../../src/cases/rules.ts'

describe('the rule of a kind', () => {
  test.each([
    ['call_back', 'facilitator', 2],
    ['dispute', 'facilitator', 4],
    ['lost_phone', 'facilitator', 2],
    ['pin_reset', 'facilitator', 2],
    ['social_worker', 'social_worker', 2],
    ['adviser', 'adviser', 5],
  ] as const)('of the house for %s: %s, %i working days', (kind, owner, workingDays) => {
    expect(caseRuleOf({}, kind, 4)).toEqual({ owner, workingDays })
  })

  test('is the programme’s own where it says so, part by part', () => {
    const written = { call_back: { owner: 'branch' }, dispute: { workingDays: 7 } }
    expect(caseRuleOf(written, 'call_back', 4)).toEqual({ owner: 'branch', workingDays: 2 })
    expect(caseRuleOf(written, 'dispute', 4)).toEqual({ owner: 'facilitator', workingDays: 7 })
    expect(caseRuleOf(written, 'adviser', 4)).toEqual({ owner: 'adviser', workingDays: 5 })
  })

  test.each([[null], ['x'], [{ call_back: { owner: 'nobody' } }]])(
    'of the house where the column holds %j',
    (written) => {
      expect(caseRuleOf(written, 'call_back', 3)).toEqual({ owner: 'facilitator', workingDays: 2 })
    },
  )
})

describe('rules that cannot be written', () => {
  test.each([
    ['an unknown kind', { complaint: { workingDays: 2 } }, 'complaint'],
    ['an unknown owner', { call_back: { owner: 'auditor' } }, 'call_back'],
    ['another owner of the social workers’ cases', { social_worker: { owner: 'branch' } }, 'social_worker'],
    ['the social workers for other cases', { dispute: { owner: 'social_worker' } }, 'dispute'],
    ['no day', { dispute: { workingDays: 0 } }, 'dispute'],
    ['half a day', { dispute: { workingDays: 1.5 } }, 'dispute'],
    ['more than a month', { adviser: { workingDays: 31 } }, 'adviser'],
  ])('%s is named', (_what, written, named) => {
    expect(JSON.stringify(caseRulesSchema.safeParse(written).error?.issues)).toContain(named)
  })
})

test('no case of the social workers is ever offered to anybody else, and no other case to them', () => {
  expect(ownersInTurn('social_worker')).toEqual(['social_worker'])
  expect(ownersAfter('social_worker')).toEqual(['social_worker'])
  for (const role of ownerRoles.filter((owner) => owner !== 'social_worker'))
    expect(ownersInTurn(role)).not.toContain('social_worker')
  for (const kind of caseKinds.filter((other) => other !== 'social_worker'))
    expect(ownersAfter(kind)).toEqual(['branch', 'administrator'])
})

test('an owner that is also a fallback is asked once', () => {
  expect(ownersInTurn('branch')).toEqual(['branch', 'administrator'])
  expect(ownersInTurn('administrator')).toEqual(['administrator', 'branch'])
})
