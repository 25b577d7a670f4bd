// Lets a loop rest until its time is up, something is noticed, or it is told to stop. Never keeps a stopped process waiting.

export interface Waker {
  /** Resolves after `ms`, at once when something was noticed since the last `begin`, and for ever at once after `stop`. */
  rest(ms: number): Promise<void>
  /** Called before work is looked for: what is noticed from now on ends the next rest. */
  begin(): void
  wake(): void
  stop(): void
}

export function createWaker(): Waker {
  let noticed = false
  let stopped = false
  const sleepers = new Set<() => void>()
  const wakeAll = () => {
    for (const wakeUp of sleepers) wakeUp()
    sleepers.clear()
  }
  return {
    begin: () => {
      noticed = false
    },
    wake: () => {
      noticed = true
      wakeAll()
    },
    stop: () => {
      stopped = true
      wakeAll()
    },
    rest: (ms) => {
      if (noticed || stopped) return Promise.resolve()
      return new Promise((resolve) => {
        const timer = setTimeout(wakeUp, ms)
        function wakeUp() {
          clearTimeout(timer)
          sleepers.delete(wakeUp)
          resolve()
        }
        sleepers.add(wakeUp)
      })
    },
  }
}
