// CSV in: a file is looked through first, with what it would change and its faults by row; the very same file is then written, or nothing.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { type ImportReport, importFile } from '../../imports/import.ts'
import { type ImportKindName, importKinds } from '../../imports/kind.ts'
import { html, type Markup } from '../../markup.ts'
import { button, checkbox, facts, faultSummary, field, form, nothing, select, table } from '../elements.ts'
import type { ConsoleRoute, Page, PageContext, UploadedFile } from '../page.ts'

const roles = ['branch', 'administrator'] as const

export const fileRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/files', roles, handle: (context) => Promise.resolve(startPage(context)) },
  { method: 'post', path: '/files/preview', roles, upload: true, handle: preview },
  { method: 'post', path: '/files', roles, upload: true, handle: write },
]

const faultsShown = 100

function startPage(context: PageContext, faults: readonly string[] = []): Page {
  const { say } = context
  const body = html`${faultSummary(say('fault.title'), faults)}
<p>${say('file.lead')}</p>
${form(
  context,
  '/files/preview',
  html`${select(
    'kind',
    say('file.kind'),
    importKinds.map((value) => ({ value, text: say(`file_kind.${value}`) })),
    context.form.kind,
  )}${checkbox('silent', say('file.silent'), false)}${fileField(context)}${button(say('file.preview'))}`,
  { upload: true },
)}`
  return { title: say('menu.files'), body, ...(faults.length > 0 ? { status: 422 } : {}) }
}

const fileField = ({ say }: PageContext): Markup =>
  field('file', say('file.file'), { type: 'file', accept: '.csv,text/csv', required: true })

interface Asked {
  kind: ImportKindName
  silent: boolean
  file: UploadedFile
  /** Names the file by its content. */
  seal: string
}

async function asked({ form: sent, file }: PageContext): Promise<Asked | undefined> {
  const kind = importKinds.find((one) => one === sent.kind)
  if (kind === undefined || file === undefined) return undefined
  const hash = createHash('sha256')
  await pipeline(createReadStream(file.path), hash)
  return { kind, file, seal: hash.digest('hex'), silent: sent.silent === 'yes' }
}

/** Runs in a transaction of its own: a file of a million rows is written in pieces that this page's must not hold. */
function run(context: PageContext, { kind, file, silent }: Asked, dryRun: boolean): Promise<ImportReport> {
  const { db, logger, now, programme, actor } = context
  return importFile({
    db,
    logger,
    clock: { now: () => now },
    programme,
    kind,
    file: file.path,
    dryRun,
    silent,
    actor,
  })
}

async function preview(context: PageContext): Promise<Page> {
  const { say } = context
  const given = await asked(context)
  if (given === undefined) return startPage(context, [say('file.none')])
  return reportPage(context, given, await run(context, given, true))
}

function reportPage(context: PageContext, given: Asked, report: ImportReport): Page {
  const { say } = context
  const { kind, silent, seal, file } = given
  const shown = report.faults.slice(0, faultsShown)
  const sound = report.faultsTotal === 0
  const again = form(
    context,
    '/files',
    html`<input type="hidden" name="kind" value="${kind}"><input type="hidden" name="seal" value="${seal}"><input type="hidden" name="silent" value="${silent ? 'yes' : ''}"><p>${say('file.again')}</p>${fileField(context)}${button(say('file.write'))}`,
    { upload: true },
  )
  const body = html`${facts([
    [say('file.file'), file.name.slice(0, 100)],
    [say('file.kind'), say(`file_kind.${kind}`)],
    [say('file.rows'), String(report.rows)],
    [say('file.new'), sound ? String(report.written) : undefined],
    [say('file.there'), sound ? String(report.alreadyThere) : undefined],
    [say('file.faults'), String(report.faultsTotal)],
  ])}
${
  sound
    ? nothing
    : table(
        say('file.faults'),
        [
          { title: say('file.row'), cell: ({ row }) => row, figures: true },
          { title: say('file.column'), cell: ({ column }) => column ?? '' },
          {
            title: say('file.fault'),
            cell: ({ code, detail }) =>
              html`${say(`import_fault.${code.replace('.', '_')}`)}${
                detail === undefined ? nothing : html` <span lang="en">${detail}</span>`
              }`,
          },
        ],
        shown,
        '',
      )
}
${report.faultsTotal > shown.length ? html`<p class="hint">${say('file.first', { count: shown.length })}</p>` : nothing}
${sound && report.changes.length > 0 ? changesOf(context, report) : nothing}
${sound && report.written > 0 ? again : nothing}
<p><a href="/console/files">${say('form.back')}</a></p>`
  return { title: say('menu.files'), body, ...(sound ? {} : { status: 422 }) }
}

/** Line by line, without repeating what stands in the file. */
function changesOf({ say }: PageContext, { changes, written }: ImportReport): Markup {
  return html`${table(
    say('file.changes'),
    [
      { title: say('file.row'), cell: ({ row }) => row, figures: true },
      { title: say('file.what'), cell: ({ isNew }) => say(isNew ? 'file.is_new' : 'file.is_changed') },
      { title: say('file.column'), cell: ({ columns }) => columns.join(', ') },
    ],
    changes,
    '',
  )}${written > changes.length ? html`<p class="hint">${say('file.first', { count: changes.length })}</p>` : nothing}`
}

async function write(context: PageContext): Promise<Page> {
  const { say, form: sent } = context
  const given = await asked(context)
  if (given === undefined) return startPage(context, [say('file.none')])
  if (given.seal !== sent.seal) return startPage(context, [say('file.other')])
  const report = await run(context, given, false)
  if (report.faultsTotal > 0) return reportPage(context, given, report)
  return { to: '/files', done: report.written > 0 ? 'imported' : 'unchanged' }
}
