import { expect, test } from 'vitest'
import { createLogger } from '../../../src/logger.ts'
import { createMetrics } from '../../../src/metrics.ts'
import { createLateAnswers } from '../../../src/ussd/late.ts'

test('the 10,001st answer that waits is dropped, and that is counted and logged', async () => {
  const lines: string[] = []
  const metrics = createMetrics()
  const late = createLateAnswers({
    logger: createLogger('trace', { write: (line: string) => void lines.push(line) }),
    metrics,
  })
  let answer = () => {}
  const ready = new Promise<void>((resolve) => {
    answer = resolve
  })
  for (let index = 0; index < 10_000; index += 1) expect(late.follow('waits', () => ready)).toBe(true)
  expect(late.follow('dropped1', () => ready)).toBe(false)
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: 'ussd.late_answer_dropped', session: 'dropped1', waiting: 10_000 },
  ])
  answer()
  await late.drain()
  const { values } = await metrics.lateAnswers.get()
  expect(values).toEqual([
    expect.objectContaining({ labels: { outcome: 'dropped' }, value: 1 }),
    expect.objectContaining({ labels: { outcome: 'settled' }, value: 10_000 }),
  ])
})
