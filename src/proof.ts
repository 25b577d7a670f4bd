// In: menus, texts and programmes. Out: every fault of both, and what was measured where there is none. `tama menus check` and every start ask it.
import type { Fault } from './fault.ts'
import { baseOf, type I18n } from './i18n.ts'
import type { ProgrammeInfo } from './members/programmes.ts'
import { type SmsLimits, smsFaults, type WorstText, worstTexts } from './sms/check-fit.ts'
import { menuFaults, type ProgrammeLimits, type Proof, proveMenus } from './ussd/check.ts'
import { type Path, slowPaths } from './ussd/check-paths.ts'
import { longestAmount, longestDate } from './ussd/data.ts'
import type { Menu } from './ussd/menu.ts'
import { idleSecondsMax, sessionSecondsMax } from './ussd/pace.ts'

/** What of a programme its screens and texts depend on. */
export type TextLimits = ProgrammeLimits & SmsLimits & Pick<ProgrammeInfo, 'draftLanguages'>

export interface WholeProof extends Proof {
  texts: WorstText[]
}

/**
 * Every screen and SMS of every programme with the longest data, in all its languages or in `only` one of them. Without faults,
 * everything is published as it stands. A menu or language with a fault of its own is not laid out.
 */
export function prove(
  menus: ReadonlyMap<string, Menu>,
  i18n: I18n,
  described: readonly TextLimits[],
  only?: string,
): WholeProof {
  const faults = menuFaults(menus, i18n, described)
  const broken = new Set(
    faults.flatMap(({ file, language }) => language ?? file.replace(/^menus\/|\.yaml$/g, '')),
  )
  const isSound = (tag: string) => i18n.languages.has(tag) && !broken.has(baseOf(tag))
  const programmes = described
    .filter(({ menu }) => menus.has(menu) && !broken.has(menu))
    .map((programme) => {
      const offered = programme.languages.filter(isSound)
      return {
        ...programme,
        languages: offered,
        tags: offered.filter((tag) => only === undefined || tag === only),
      }
    })
  const sound = new Map([...menus].filter(([name]) => !broken.has(name)))
  const proof = proveMenus(sound, i18n, programmes)
  const longest = {
    amount: (tag: string, currency: string) => longestAmount(i18n, tag, currency),
    date: (tag: string) => longestDate(i18n, tag),
  }
  const texts = programmes.map((programme) => worstTexts(i18n, programme, longest))
  return {
    ...proof,
    faults: [
      ...faults,
      ...proof.faults,
      ...programmes.flatMap((programme, index) => smsFaults(i18n, programme, texts[index] ?? [])),
    ],
    texts: texts.flat(),
  }
}

/** In production: languages that no native speaker has read and that the programme has not asked for all the same. */
export function draftFaults(i18n: I18n, programmes: readonly TextLimits[]): Fault[] {
  return programmes.flatMap(({ code, languages, draftLanguages }) =>
    languages
      .filter((tag) => i18n.languages.get(tag)?.reviewState === 'draft' && !draftLanguages.includes(tag))
      .map((tag) => ({
        file: `programme ${code}`,
        language: tag,
        what: `the texts in ${tag} are a draft that no native speaker has read`,
        remedy: `Have them reviewed, or name ${tag} under draftLanguages too.`,
      })),
  )
}

/** One line a programme and language, then the paths that may outlast the network's patience. */
export function summaryOf(i18n: I18n, programmes: readonly TextLimits[], proof: WholeProof): string[] {
  const rows = programmes.flatMap(({ code, languages }) =>
    languages.map((tag) => {
      const screens = proof.screens.filter((screen) => screen.programme === code && screen.tag === tag)
      const texts = proof.texts.filter((text) => text.programme === code && text.tag === tag)
      const longest = largest(screens, ({ units, limit }) => units / limit)
      const text = largest(texts, ({ segments, units }) => segments * 1_000 + units)
      const paths = proof.paths.filter((path) => path.programme === code && path.tag === tag)
      const ucs2 = screens.filter(({ encoding }) => encoding === 'ucs2').length
      return [
        code,
        tag,
        i18n.language(tag).reviewState,
        `${new Set(screens.map(({ menu, state }) => `${menu}.${state}`)).size}/${screens.length}`,
        longest === undefined ? '' : `${longest.units}/${longest.limit} ${longest.menu}.${longest.state}`,
        ucs2 === 0 ? 'GSM-7' : ucs2 === screens.length ? 'UCS-2' : `UCS-2 on ${ucs2}`,
        text === undefined ? '' : `${text.units} in ${text.segments} ${text.key}`,
        String(Math.max(0, ...paths.map(({ screens: count }) => count))),
      ]
    }),
  )
  const head = [
    'programme',
    'language',
    'review',
    'screens/pages',
    'fullest page',
    'alphabet',
    'longest SMS',
    'screens to an answer',
  ]
  return [...table([head, ...rows]), ...slowLines(proof)]
}

/** One line a programme and answer: its slowest language stands for the others. */
function slowLines({ paths }: WholeProof): string[] {
  const byAnswer = new Map<string, Path[]>()
  for (const path of slowPaths(paths)) {
    const key = `${path.programme} ${path.answer}`
    byAnswer.set(key, [...(byAnswer.get(key) ?? []), path])
  }
  if (byAnswer.size === 0) return []
  const rows = [...byAnswer.values()].map(([slowest, ...others]) => [
    slowest?.programme ?? '',
    slowest?.answer ?? '',
    `${Math.round(slowest?.seconds ?? 0)} s`,
    `${Math.round(slowest?.pauseSeconds ?? 0)} s`,
    `${slowest?.tag}${others.length === 0 ? '' : ` (and ${new Set(others.map(({ tag }) => tag)).size} more)`}`,
    slowest?.steps.join(' > ') ?? '',
  ])
  return [
    '',
    `Slow for a new reader who reads every word (over 70 % of the network's ${sessionSecondsMax} s, or one screen over 70 % of ${idleSecondsMax} s). A dropped dialogue goes on where it was.`,
    ...table([['programme', 'answer', 'in all', 'slowest screen', 'slowest in', 'way'], ...rows]),
  ]
}

function largest<Item>(items: readonly Item[], size: (item: Item) => number): Item | undefined {
  return items.reduce<Item | undefined>(
    (best, item) => (best === undefined || size(item) > size(best) ? item : best),
    undefined,
  )
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
