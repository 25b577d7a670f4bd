// In: the folders of menus and locales. Out: texts without a fault, at the start and again whenever a file changes.
// Must never hand out a text that a check refuses: the last good ones stay until a whole change passes.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Alarms } from './alarms.ts'
import { StartError } from './errors.ts'
import { describeFault, type Fault } from './fault.ts'
import { type I18n, readI18n } from './i18n.ts'
import type { Logger } from './logger.ts'
import type { ProgrammeInfo } from './members/programmes.ts'
import { prove } from './proof.ts'
import { textFaults } from './sms/check.ts'
import { discretionFaults } from './sms/discretion.ts'
import { menuFaults } from './ussd/check.ts'
import { type Menu, placeIn, readMenus } from './ussd/menu.ts'

export interface Texts {
  i18n: I18n
  menus: ReadonlyMap<string, Menu>
}

export interface TextFolders {
  menus: string
  locales: string
}

/** Everything that is wrong with the files themselves; whether screens fit is asked of what has no such fault. */
export function readTexts(folders: TextFolders): Texts & { faults: Fault[] } {
  const { i18n, faults: localeFaults } = readI18n(folders.locales)
  const { menus, faults: fileFaults } = readMenus(folders.menus)
  const faults = [
    ...localeFaults,
    ...textFaults(i18n),
    ...discretionFaults(i18n),
    ...fileFaults,
    ...menuFaults(menus, i18n),
  ]
  return { i18n, menus, faults }
}

/** Locales and menus without a fault. Throws one StartError with the faults of all files, and `more` before them. */
export function loadTexts(folders: TextFolders, more: readonly string[] = []): Texts {
  const { i18n, menus, faults } = readTexts(folders)
  if (more.length + faults.length > 0)
    throw new StartError('Tama cannot start', [...more, ...faults.map(describeFault)])
  return { i18n, menus }
}

/** A menu that changed under its old version would catch dialogues half way on screens that are no longer there. */
function versionFaults(before: Texts['menus'], now: Texts['menus']): Fault[] {
  return [...now.values()].flatMap((menu) => {
    const old = before.get(menu.menu)
    if (old === undefined || old.version !== menu.version || isDeepStrictEqual(old, menu)) return []
    return [
      {
        ...placeIn(menu, ['version']),
        what: `version: the menu changed, and its version is still ${menu.version}`,
        remedy: 'Raise it: dialogues under way then start again at the root with a line of notice.',
      },
    ]
  })
}

/** Names, sizes and times of all files, to see that something changed. */
function fingerprint(folders: TextFolders): string {
  return [folders.menus, folders.locales]
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .sort()
        .map((name) => {
          const { mtimeMs, size } = statSync(join(folder, name))
          return `${name} ${mtimeMs} ${size}`
        }),
    )
    .join('\n')
}

export interface TextWatchOptions {
  folders: TextFolders
  /** What is served now. */
  texts: Texts
  programmes: readonly ProgrammeInfo[]
  logger: Logger
  alarms: Pick<Alarms, 'raise' | 'clear'>
  /** How often the files are looked at [5000]. */
  everyMs?: number
}

/** Takes up changed menus and texts while the process serves. */
export function watchTexts(options: TextWatchOptions) {
  const { folders, programmes, logger, alarms, everyMs = 5_000 } = options
  let current = options.texts
  let seen = fingerprint(folders)
  const takers: ((texts: Texts) => void)[] = []

  /** Looks now. A file that is being written is looked at again: its next state has another fingerprint. */
  function look(): 'same' | 'taken' | 'refused' {
    const now = fingerprint(folders)
    if (now === seen) return 'same'
    seen = now
    const { faults: fileFaults, ...read } = readTexts(folders)
    const faults =
      fileFaults.length > 0
        ? fileFaults
        : [...versionFaults(current.menus, read.menus), ...prove(read.menus, read.i18n, programmes).faults]
    if (faults.length > 0) {
      alarms.raise('texts.refused')
      for (const fault of faults) logger.error({ event: 'texts.refused', fault: describeFault(fault) })
      return 'refused'
    }
    current = read
    for (const take of takers) take(read)
    alarms.clear('texts.refused')
    logger.info({
      event: 'texts.taken',
      menus: [...read.menus.values()].map(({ menu, version }) => `${menu} ${version}`),
    })
    return 'taken'
  }

  const timer = setInterval(() => {
    try {
      look()
    } catch (error) {
      // A file that vanished while it was read: looked at again next time.
      logger.warn({ event: 'texts.unreadable', code: error instanceof Error ? error.name : 'unknown' })
    }
  }, everyMs)
  timer.unref()

  return {
    look,
    /** What is served now. */
    current: () => current,
    /** Called with every later texts that pass. */
    onTexts(take: (texts: Texts) => void): void {
      takers.push(take)
    },
    stop: () => {
      clearInterval(timer)
      return Promise.resolve()
    },
  }
}

export type TextWatch = ReturnType<typeof watchTexts>
