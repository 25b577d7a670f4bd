// In: each step of a dialogue. Out: by programme, day and screen, how many dialogues showed it and how many stopped there; nothing of a person.
// Must never write while an answer waits: a process counts in memory and writes once a minute.
import type { CalendarDate } from '../calendar.ts'
import type { Db, Queryable } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createWaker } from '../waker.ts'
import type { Menu } from './menu.ts'
import type { Dialogue, Session } from './session.ts'

export interface PathCount {
  menu: string
  state: string
  /** Dialogues that showed the screen, each counted once. */
  shown: number
  /** Dialogues whose last screen it was without an end of ours; among those of today some still go on. */
  stopped: number
}

export interface Step {
  programmeId: string
  /** Of the day on which the dialogue began, there where the programme is. */
  day: CalendarDate
  /** The programme's own menu, where a dialogue names no other. */
  ownMenu: string
  before: Session | undefined
  after: Session
}

export interface PathCounter {
  note(step: Step): void
  /** Writes what was counted; what cannot be written is kept for the next time. */
  flush(): Promise<void>
  start(): void
  stop(): Promise<void>
}

const marks = new WeakMap<Menu, ReadonlyMap<string, string>>()

/** In ASCII: a single other character would make every dialogue twice as dear to write down and to read. */
function markOf(menu: Menu, state: string): string {
  let known = marks.get(menu)
  if (known === undefined) {
    known = new Map(Object.keys(menu.states).map((name, index) => [name, `${index}.`]))
    marks.set(menu, known)
  }
  return known.get(state) ?? ''
}

const isSameMenu = (before: Session, menuVersion: number, dialogue: Dialogue) =>
  before.menuVersion === menuVersion && before.dialogue.menu === dialogue.menu

/** The screens that a dialogue has shown with this one, ".3.17.": one that she comes back to is not counted again. */
export function seenWith(menu: Menu, before: Session | undefined, dialogue: Dialogue): string {
  const isOn = before !== undefined && isSameMenu(before, menu.version, dialogue)
  const seen = isOn && before.seen ? before.seen : '.'
  const mark = markOf(menu, dialogue.state)
  return seen.includes(`.${mark}`) ? seen : seen + mark
}

// One statement for all that a minute brought.
const addSql = `
  insert into ussd_path_counts as c (programme_id, day, menu, state, shown, stopped)
  select * from unnest($1::uuid[], $2::date[], $3::text[], $4::text[], $5::int[], $6::int[])
  on conflict (programme_id, day, menu, state) do update
    set shown = c.shown + excluded.shown, stopped = c.stopped + excluded.stopped`

interface Tally {
  programmeId: string
  day: CalendarDate
  menu: string
  state: string
  shown: number
  stopped: number
}

export function createPathCounter(options: { db: Db; logger: Logger; everyMs?: number }): PathCounter {
  const { db, logger, everyMs = 60_000 } = options
  const waker = createWaker()
  let tallies = new Map<string, Tally>()
  let stopping = false
  let loop: Promise<void> = Promise.resolve()

  function tallyOf({ programmeId, day, ownMenu }: Step, { menu = ownMenu, state }: Dialogue): Tally {
    const key = `${programmeId} ${day} ${menu} ${state}`
    let tally = tallies.get(key)
    if (tally === undefined) {
      tally = { programmeId, day, menu, state, shown: 0, stopped: 0 }
      tallies.set(key, tally)
    }
    return tally
  }

  async function flush(): Promise<void> {
    const counted = tallies
    tallies = new Map()
    // Always in one order, so that two processes that write the same rows wait for each other and never for ever.
    const rows = [...counted]
      .filter(([, { shown, stopped }]) => shown !== 0 || stopped !== 0)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, tally]) => tally)
    if (rows.length === 0) return
    const column = (read: (tally: Tally) => string | number) => rows.map(read)
    try {
      await db.pool.query(addSql, [
        column(({ programmeId }) => programmeId),
        column(({ day }) => day),
        column(({ menu }) => menu),
        column(({ state }) => state),
        column(({ shown }) => shown),
        column(({ stopped }) => stopped),
      ])
    } catch (error) {
      for (const [key, tally] of counted) {
        const since = tallies.get(key)
        if (since === undefined) tallies.set(key, tally)
        else {
          since.shown += tally.shown
          since.stopped += tally.stopped
        }
      }
      logger.warn({ event: 'ussd.paths_not_written', code: errorCode(error) })
    }
  }

  async function run(): Promise<void> {
    while (!stopping) {
      await waker.rest(everyMs)
      await flush()
    }
  }

  return {
    // A dialogue stands on one screen at a time: it leaves the last one and stops, so far, at the new one. Once all dialogues are over,
    // what is left of these steps is where they stopped, whichever process each step came to.
    note(step) {
      const { before, after } = step
      const there = tallyOf(step, after.dialogue)
      const isNew =
        before === undefined ||
        !isSameMenu(before, after.menuVersion, after.dialogue) ||
        before.seen !== after.seen
      if (isNew) there.shown += 1
      if (before !== undefined) tallyOf(step, before.dialogue).stopped -= 1
      if (!after.ended) there.stopped += 1
    },
    flush,
    start() {
      loop = run()
    },
    async stop() {
      stopping = true
      waker.stop()
      await loop
      await flush()
    },
  }
}

/** Of all days from `from` to `to`; the screens that were shown most at the head. */
export async function pathCounts(
  tx: Queryable,
  programmeId: string,
  from: CalendarDate,
  to: CalendarDate,
): Promise<PathCount[]> {
  const { rows } = await tx.query<PathCount>(
    `select menu, state, sum(shown)::int as shown, greatest(0, sum(stopped))::int as stopped from ussd_path_counts
      where programme_id = $1 and day between $2 and $3 group by menu, state order by shown desc, menu, state`,
    [programmeId, from, to],
  )
  return rows
}
