import { expect, test } from 'vitest'
import { createLogger } from '../../src/logger.ts'

test('what a member may have typed is cut out of a line at any depth, and nothing else is', () => {
  const lines: string[] = []
  const logger = createLogger('info', { write: (line: string) => lines.push(line) })
  logger.info({
    event: 'try',
    text: '7391',
    ids: ['a', 'b'],
    none: null,
    rows: [{ text: '7391', row: 1 }],
    request: { url: '/7391', method: 'POST', form: { pin: '7391', body: '7391', page: 2 } },
  })
  expect(lines.join('')).not.toContain('7391')
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 30,
    time: expect.any(Number),
    event: 'try',
    ids: ['a', 'b'],
    none: null,
    rows: [{ row: 1 }],
    request: { method: 'POST', form: { page: 2 } },
  })
})
