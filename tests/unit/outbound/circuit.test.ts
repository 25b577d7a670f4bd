import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAlarms } from '../../../src/alarms.ts'
import { systemClock } from '../../../src/clock.ts'
import { SendError } from '../../../src/errors.ts'
import { createMetrics } from '../../../src/metrics.ts'
import { createCircuit } from '../../../src/outbound/circuit.ts'
import { silentLogger } from '../../support/database.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function openCircuit() {
  const metrics = createMetrics()
  const alarms = createAlarms({ clock: systemClock, logger: silentLogger, metrics })
  const heard: string[] = []
  const circuit = createCircuit({
    lane: 'planned',
    clock: systemClock,
    logger: silentLogger,
    metrics,
    alarms,
    pauseMs: 30_000,
    onOpen: () => heard.push('open'),
    onTry: () => heard.push('try'),
    onClose: () => heard.push('close'),
  })
  return { circuit, heard, isAlarmed: () => alarms.list().length > 0 }
}

it('five failed calls in a row open the circuit, one that goes through after the rest closes it', () => {
  const { circuit, heard, isAlarmed } = openCircuit()
  for (let call = 1; call < 5; call += 1)
    expect(circuit.failed(new SendError('send.timeout'))).toBe(undefined)
  expect(circuit.failed(new SendError('send.timeout'))).toEqual(circuit.restsUntil())
  expect(isAlarmed()).toBe(true)
  vi.advanceTimersByTime(37_500)
  expect(circuit.isTrying()).toBe(true)
  expect(isAlarmed()).toBe(true)
  circuit.succeeded()
  expect(heard).toEqual(['open', 'try', 'close'])
  expect(isAlarmed()).toBe(false)
})

it('with nothing left to try the alarm ends after the rest; the next call is a try, and its fault raises the alarm anew', () => {
  const { circuit, isAlarmed } = openCircuit()
  circuit.open('send.account')
  vi.advanceTimersByTime(37_500 + 30_000)
  expect(isAlarmed()).toBe(false)
  expect(circuit.isTrying()).toBe(true)
  circuit.failed(new SendError('send.server_error'))
  expect(isAlarmed()).toBe(true)
  expect(circuit.restsUntil()).not.toBe(undefined)
})

it('a try that fails rests twice as long each time, up to ten times the first, and keeps the alarm', () => {
  const { circuit, isAlarmed } = openCircuit()
  const rests: number[] = []
  for (let tried = 0; tried < 7; tried += 1) {
    const startedMs = systemClock.now().getTime()
    const until = circuit.failed(new SendError('send.account'))
    rests.push(((until?.getTime() ?? 0) - startedMs) / 30_000)
    vi.advanceTimersToNextTimer()
    expect(isAlarmed()).toBe(true)
  }
  rests.forEach((rest, index) => {
    const plain = Math.min(2 ** index, 10)
    expect(rest).toBeGreaterThanOrEqual(plain * 0.75)
    expect(rest).toBeLessThanOrEqual(plain * 1.25)
  })
})
