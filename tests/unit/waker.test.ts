import { describe, expect, test } from 'vitest'
import { createWaker } from '../../src/waker.ts'

const farMs = 600_000

describe('a waker', () => {
  test('ends a rest when something is noticed', async () => {
    const waker = createWaker()
    const rest = waker.rest(farMs)
    waker.wake()
    await expect(rest).resolves.toBeUndefined()
  })

  test('does not rest when something was noticed while it worked', async () => {
    const waker = createWaker()
    waker.begin()
    waker.wake()
    await expect(waker.rest(farMs)).resolves.toBeUndefined()
  })

  test('forgets at the next beginning what was noticed before', async () => {
    const waker = createWaker()
    waker.wake()
    waker.begin()
    let rested = false
    const rest = waker.rest(farMs).then(() => {
      rested = true
    })
    await Promise.resolve()
    expect(rested).toBe(false)
    waker.stop()
    await rest
  })

  test('never rests again once stopped', async () => {
    const waker = createWaker()
    waker.stop()
    waker.begin()
    await expect(waker.rest(farMs)).resolves.toBeUndefined()
  })
})
