// In: the folders of menus and locales. Out: texts without a fault, at the start and again whenever a file changes.
// Must never hand out a text that a check refuses: the last good ones stay until a whole change passes.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Alarms } from './alarms.ts'
import { consoleFaults } from './console/words.ts'
import { errorCode, StartError } from './errors.ts'
import { describeFault, type Fault } from './fault.ts'
import { type I18n, readI18n } from './i18n.ts'
import type { Logger } from './logger.ts'
import type { ProgrammeInfo } from './members/programmes.ts'
import { draftFaults, prove } from './proof.ts'
import { textFaults } from './sms/check.ts'
import { discretionFaults } from './sms/discretion.ts'
import { menuFaults } from './ussd/check.ts'
import { unusedText } from './ussd/check-texts.ts'
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
    ...consoleFaults(i18n),
    ...fileFaults,
    // A menu that cannot be read would leave all its texts without a screen.
    ...menuFaults(menus, i18n).filter(({ what }) => fileFaults.length === 0 || !what.endsWith(unusedText)),
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
          // An editor's lock may be a link to nowhere.
          const found = statSync(join(folder, name), { throwIfNoEntry: false })
          return `${name} ${found?.mtimeMs} ${found?.size}`
        }),
    )
    .join('\n')
}

export interface TextWatchOptions {
  folders: TextFolders
  /** What is served now. */
  texts: Texts
  programmes: readonly ProgrammeInfo[]
  /** Production offers a draft language only where the programme names it. */
  production: boolean
  logger: Logger
  alarms: Pick<Alarms, 'raise' | 'clear'>
  /** How often the files are looked at [5000]. */
  everyMs?: number
}

/** Takes up changed menus and texts while the process serves. */
export function watchTexts(options: TextWatchOptions) {
  const { folders, programmes, production, logger, alarms, everyMs = 5_000 } = options
  let current = options.texts
  /** Of the files that were last judged, and of those that were last seen. */
  let judged = fingerprint(folders)
  let seen = judged
  let refused = false
  const takers: ((texts: Texts) => void)[] = []

  /** Every page of seven languages takes a second to lay out; between two languages callbacks are answered. */
  async function faultsOf({ i18n, menus }: Texts): Promise<Fault[]> {
    const faults = [
      ...versionFaults(current.menus, menus),
      ...(production ? draftFaults(i18n, programmes) : []),
    ]
    for (const programme of programmes)
      for (const tag of programme.languages) {
        faults.push(...prove(menus, i18n, [programme], tag).faults)
        await new Promise((resolve) => setImmediate(resolve))
      }
    return faults
  }

  /** A change is judged once the files have been the same for two looks: half of a copy is no change. */
  async function look(): Promise<void> {
    const now = fingerprint(folders)
    const isSettled = now === seen
    seen = now
    if (now === judged && !refused) alarms.clear('texts.refused')
    if (now === judged || !isSettled) return
    const { faults: fileFaults, ...read } = readTexts(folders)
    const faults = fileFaults.length > 0 ? fileFaults : await faultsOf(read)
    if (fingerprint(folders) !== now) return
    judged = now
    refused = faults.length > 0
    if (refused) {
      alarms.raise('texts.refused')
      for (const fault of faults) logger.error({ event: 'texts.refused', fault: describeFault(fault) })
      return
    }
    for (const take of takers) take(read)
    current = read
    alarms.clear('texts.refused')
    logger.info({
      event: 'texts.taken',
      menus: [...read.menus.values()].map(({ menu, version }) => `${menu} ${version}`),
    })
  }

  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    look()
      .catch((error: unknown) => {
        // A file that vanished while it was read, or that may not be read: looked at again next time.
        alarms.raise('texts.refused')
        logger.error({ event: 'texts.unreadable', code: errorCode(error) })
      })
      .finally(() => {
        looking = false
      })
  }, everyMs)
  timer.unref()

  return {
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
