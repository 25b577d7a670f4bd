// What the menus commands share: the programmes, limits and proof that they are about.
import { existsSync, readFileSync } from 'node:fs'
import type { Fault } from '../fault.ts'
import type { I18n } from '../i18n.ts'
import type { ProgrammeFace } from '../imports/programme.ts'
import type { TextLimits } from '../proof.ts'
import type { Menu } from '../ussd/menu.ts'
import { programmeByCode, UsageError, withRuntime } from './command.ts'

/** A programme of the database by its code, or a description as a YAML file. */
export async function programmeOf(wish: string): Promise<TextLimits & ProgrammeFace> {
  if (existsSync(wish)) {
    const { describedProgramme } = await import('../imports/programme.ts')
    return describedProgramme(readFileSync(wish, 'utf8'))
  }
  const found: (TextLimits & ProgrammeFace)[] = []
  await withRuntime(async (runtime) => {
    found.push(await programmeByCode(runtime, wish))
  })
  const [programme] = found
  if (programme === undefined) throw new UsageError(`There is no programme "${wish}".`)
  return programme
}

/** A way to write a language as most networks carry it, with the longest amount of the currencies that programmes keep. */
export function anyProgramme(tag: string, currencyCode = 'HTG'): TextLimits {
  return {
    code: 'any',
    menu: 'member',
    languages: [tag],
    draftLanguages: [tag],
    currencyCode,
    screenSeptetsFirst: 140,
    screenSeptetsMax: 160,
    segmentsMax: 3,
    optOutTail: null,
  }
}

/** Every tag of a language: its folder, and its endings. */
function waysToWrite(i18n: I18n, base: string): string[] {
  return [...i18n.languages.values()].filter((info) => info.base === base).map(({ code }) => code)
}

/** UsageError that names the languages there are when it is none of them. */
export function languageIn(i18n: I18n, wish: unknown, tags: readonly string[] = [...i18n.languages.keys()]) {
  if (typeof wish !== 'string') throw new UsageError('Name the language: --language wo.')
  if (tags.includes(wish)) return wish
  throw new UsageError(`There is no language "${wish}". There are: ${tags.join(', ')}.`)
}

/** Every fault that a start would find in the texts below a folder, and of all screens and SMS of this language. */
export async function createProofOf(
  menus: ReadonlyMap<string, Menu>,
): Promise<(folder: string, code: string) => Fault[]> {
  const { readI18n } = await import('../i18n.ts')
  const { prove } = await import('../proof.ts')
  const { textFaults } = await import('../sms/check.ts')
  const { discretionFaults } = await import('../sms/discretion.ts')
  const { menuFaults } = await import('../ussd/check.ts')
  return (folder, code) => {
    const { i18n, faults } = readI18n(folder)
    const structure = menuFaults(menus, i18n)
    // What cannot be read cannot be laid out; what can is, so that all faults are said at once.
    const fits = structure.length === 0 && i18n.languages.has(code)
    return [
      ...faults,
      ...textFaults(i18n),
      ...discretionFaults(i18n),
      ...structure,
      ...(fits
        ? prove(
            menus,
            i18n,
            waysToWrite(i18n, code).map((tag) => anyProgramme(tag)),
          ).faults
        : []),
    ]
  }
}

/** To a file, or to where the command prints. */
export async function putOut(text: string, file: unknown): Promise<void> {
  if (file === undefined) {
    // The command ends soon after: a slow reader is to get all of it.
    await new Promise((resolve) => process.stdout.write(text, resolve))
    return
  }
  const { writeFileSync } = await import('node:fs')
  try {
    writeFileSync(String(file), text)
  } catch {
    throw new UsageError(`The file ${String(file)} cannot be written.`)
  }
  console.error(`Written: ${String(file)}`)
}
