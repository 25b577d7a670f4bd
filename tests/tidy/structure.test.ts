// The plan of the house, held against the code: layers, sizes, single readers, words that must not be there.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const source = join(root, 'src')

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('generated'))
  .map((file) => {
    const text = readFileSync(join(source, file), 'utf8')
    return { file, text, code: text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*/g, '') }
  })

/** Lower layers first; a file may import from its own folder and from layers before it. */
const layers: readonly (readonly string[])[] = [
  [
    'errors',
    'roles',
    'alarms',
    'clock',
    'calendar',
    'logger',
    'money',
    'msisdn',
    'encoding',
    'countries',
    'fault',
    'json-file',
    'locale-files',
    'i18n',
    'write-together',
    'db',
    'redis',
    'metrics',
    'waker',
    'rounds',
    'audit',
    'markup',
    'generated',
  ],
  ['members', 'ledger', 'providers'],
  ['outbound'],
  ['notices', 'meetings', 'cases'],
  ['ussd', 'sms', 'events', 'reminders', 'imports', 'privacy', 'webhooks'],
  ['http', 'simulator', 'review'],
  ['console'],
  ['config', 'migrations', 'drift', 'embedded', 'progress'],
  ['proof', 'texts', 'heap', 'drain', 'runtime', 'demo', 'callback-handlers', 'serve'],
  ['commands'],
  ['main'],
]

const place = (file: string) => file.split('/')[0]?.replace(/\.ts$/, '') ?? ''
const layerOf = (file: string) => layers.findIndex((names) => names.includes(place(file)))

const importsOf = (file: string, text: string) =>
  [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) =>
    normalize(join(dirname(file), match[1] ?? '')),
  )

describe('the house', () => {
  it('every file stands in a known layer', () => {
    expect(files.filter(({ file }) => layerOf(file) < 0).map(({ file }) => file)).toEqual([])
  })

  it('lower never imports higher, and folders of one layer do not import each other', () => {
    const faults = files.flatMap(({ file, text }) =>
      importsOf(file, text)
        .filter((target) => {
          const from = layerOf(file)
          const to = layerOf(target)
          const sameFolder = place(file) === place(target)
          const base = from === 0 && to === 0
          return to > from || (to === from && !sameFolder && !base && file.includes('/'))
        })
        .map((target) => `${file} imports ${target}`),
    )
    expect(faults).toEqual([])
  })

  it('folders are at most two deep and files at most 400 lines', () => {
    expect(files.filter(({ file }) => file.split('/').length > 3).map(({ file }) => file)).toEqual([])
    const long = files.filter(({ text }) => text.split('\n').length > 401)
    expect(long.map(({ file, text }) => `${file} ${text.split('\n').length}`)).toEqual([])
  })

  const readers: readonly [string, RegExp, readonly string[]][] = [
    ['only config.ts reads the environment', /process\.env/, ['config.ts']],
    ['only clock.ts reads the time', /Date\.now\(|new Date\(\)|performance\.now\(/, ['clock.ts']],
    ['only the outbox creates a message', /insert into messages\b|message\.create/i, ['outbound/outbox.ts']],
    ['only the sender calls a provider', /provider\.send\(/, ['outbound/calls.ts']],
    ['money is never a JavaScript number', /\.toNumber\(\)|parseFloat\(|Number\([^)]*(amount|balance)/, []],
    ['types have no holes', /: any\b|as any\b|<any>|@ts-ignore|@ts-expect-error/, []],
    ['nothing is left undone in code', /\b(TODO|FIXME|XXX|HACK)\b|not implemented/i, []],
  ]
  it.each(readers)('%s', (_rule, pattern, allowed) => {
    const found = files.filter(({ file, code }) => pattern.test(code) && !allowed.includes(file))
    expect(found.map(({ file }) => file)).toEqual([])
  })

  it('no folder or file is a drawer', () => {
    const drawer = /(^|[/-])(utils?|helpers?|common|manager|service|impl)(\.ts$|\/|-)/
    expect(files.filter(({ file }) => drawer.test(file)).map(({ file }) => file)).toEqual([])
  })

  it('every file on a path opens with what comes in, what goes out, or what it must never do', () => {
    const bare = files.filter(({ text }) => !/^(#!.*\n)?(\/\/|\/\*\*)/.test(text))
    expect(bare.map(({ file }) => relative(source, join(source, file)))).toEqual([])
  })
})
