import { describe, expect, test } from 'vitest'
import { enter, step } from '../../../src/ussd/engine.ts'
import { loadMenus, menuDiagram } from '../../../src/ussd/menu.ts'
import { createSessionKeys, type Dialogue, newDialogue, readText } from '../../../src/ussd/session.ts'

const found = loadMenus('menus').get('member')
if (found === undefined) throw new Error('no menu')
const menu = found

const blank: Dialogue = { ...newDialogue, language: 'fr', memberId: 'm', role: 'member', hasPin: true }

const shownIn = (state: string) => (menu.states[state]?.options ?? []).map(({ key, name }) => ({ key, name }))

const at = (state: string, changes: Partial<Dialogue> = {}): Dialogue => ({
  ...blank,
  state,
  shown: shownIn(state),
  ...changes,
})

const input = (dialogue: Dialogue, text: string) => step(menu, dialogue, { type: 'input', text })

describe('gates', () => {
  test('the language is chosen before anything else', () => {
    const { dialogue } = enter(menu, { ...blank, language: undefined }, 'meeting')
    expect(dialogue).toMatchObject({ state: 'language', target: 'meeting' })
  })

  test('money asks the PIN, and a PIN is set first where there is none', () => {
    expect(enter(menu, blank, 'loan').dialogue).toMatchObject({ state: 'pin', target: 'loan' })
    expect(enter(menu, { ...blank, hasPin: false }, 'loan').dialogue.state).toBe('pin_new')
    expect(enter(menu, { ...blank, passed: true }, 'loan').dialogue.state).toBe('loan')
  })

  test('on a shared phone all that is a member’s asks who, then the PIN', () => {
    const shared = { ...blank, shared: true }
    expect(enter(menu, { ...shared, memberId: undefined }, 'meeting').dialogue.state).toBe('who')
    expect(enter(menu, shared, 'meeting').dialogue.state).toBe('pin')
    expect(enter(menu, shared, 'help').dialogue.state).toBe('help')
  })

  test('a state for other roles sends home with a reason', () => {
    const states = {
      ...menu.states,
      collect: { ...menu.states.help, roles: ['treasurer'] },
    } as typeof menu.states
    const withRole = { ...menu, states }
    expect(enter(withRole, blank, 'collect')).toMatchObject({
      reason: 'not_allowed',
      dialogue: { state: 'home' },
    })
    expect(enter(withRole, { ...blank, role: 'treasurer' }, 'collect').dialogue.state).toBe('collect')
  })

  test('an outcome "target" goes where the gate stopped her', () => {
    const on = menu.states.pin?.on ?? {}
    const asked = at('pin', { target: 'savings', passed: true, trail: ['home', 'account'] })
    const { dialogue } = step(menu, asked, { type: 'outcome', on, outcome: 'ok' })
    expect(dialogue).toMatchObject({ state: 'savings', target: undefined, trail: ['home', 'account'] })
  })
})

describe('navigation', () => {
  test('"0" leads back the way she came, "00" home', () => {
    const loan = at('loan', { passed: true, trail: ['home', 'account'] })
    expect(input(loan, '0').dialogue).toMatchObject({ state: 'account', trail: ['home'] })
    expect(input(loan, '00').dialogue).toMatchObject({ state: 'home', trail: [] })
  })

  test('"0" on a later page turns one page back', () => {
    expect(input(at('schedule', { page: 2 }), '0').dialogue).toMatchObject({ state: 'schedule', page: 1 })
  })

  test('"98" is a choice only where there is more', () => {
    expect(input(at('schedule', { more: true }), '98').dialogue.page).toBe(1)
    expect(input(at('schedule'), '98').reason).toBe('choice_unknown')
  })

  test('the way back is bounded', () => {
    let dialogue: Dialogue = at('home', { passed: true })
    for (let round = 0; round < 40; round += 1)
      dialogue = enter(menu, dialogue, round % 2 === 0 ? 'settings' : 'help').dialogue
    expect(dialogue.trail.length).toBeLessThanOrEqual(12)
  })

  test('only what stood on the screen can be chosen', () => {
    const without = at('account', { passed: true, shown: [{ key: '3', name: 'movements' }] })
    expect(input(without, '1').reason).toBe('choice_unknown')
    expect(input(without, '3').dialogue.state).toBe('movements')
  })
})

describe('the engine', () => {
  test('gives the action and runs nothing', () => {
    const { action, dialogue } = input(at('meeting'), '2')
    expect(action).toMatchObject({ name: 'answer_meeting', value: 'no' })
    expect(dialogue).toEqual(at('meeting'))
  })

  test('changes no dialogue that it is given', () => {
    const frozen = Object.freeze(at('home'))
    expect(() => input(frozen, '5')).not.toThrow()
  })

  test('every diagram names every state', () => {
    const diagram = menuDiagram(menu)
    for (const state of Object.keys(menu.states)) expect(diagram).toContain(state)
  })
})

describe('the new input', () => {
  const keys = createSessionKeys('secret')
  const hashOf = (text: string) => keys.text('session', text)
  const seen = (text: string) => ({ seenLength: text.length, seenHash: hashOf(text) })

  test.each([
    ['', '1', { kind: 'next', input: '1' }],
    ['', '*', { kind: 'next', input: '*' }],
    ['1', '1*2', { kind: 'next', input: '2' }],
    ['1', '1*2*3', { kind: 'next', input: '2*3' }],
    ['1', '1*', { kind: 'next', input: '' }],
    ['1*', '1**', { kind: 'next', input: '' }],
    ['1*2', '1*2', { kind: 'same' }],
    ['1*2', '1*3', { kind: 'other' }],
    ['1*2', '1', { kind: 'other' }],
    ['1*2', '', { kind: 'other' }],
    ['1', '12', { kind: 'other' }],
    ['2', '1*2', { kind: 'other' }],
  ])('after "%s", "%s" is read as the suffix, never as the last part', (before, text, reading) => {
    expect(readText(seen(before), text, hashOf)).toEqual(reading)
  })

  test('keys of sessions differ with each part', () => {
    const call = { provider: 'p', serviceCode: '*1#', sessionId: 's', msisdn: '+221770000001' }
    const all = [
      call,
      { ...call, provider: 'q' },
      { ...call, serviceCode: '*2#' },
      { ...call, sessionId: 't' },
    ]
    all.push({ ...call, msisdn: '+221770000002' })
    expect(new Set(all.map(keys.session)).size).toBe(all.length)
  })
})
