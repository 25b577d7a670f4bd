// In: texts and facts. Out: the parts that pages are made of. Everything works without JavaScript; every text is escaped by markup.ts.
import type { Decimal } from 'decimal.js'
import { localParts } from '../calendar.ts'
import type { I18n } from '../i18n.ts'
import { html, type Markup, raw } from '../markup.ts'
import { maskMsisdn } from '../msisdn.ts'
import type { PageContext } from './page.ts'
import { seesNumbers } from './roles.ts'

export const nothing = html``

/** "2026-11-26 14:05" there where the programme is. */
export function moment({ programme }: Pick<PageContext, 'programme'>, at: Date): Markup {
  return html`<time datetime="${at.toISOString()}">${momentText(programme.timeZone, at)}</time>`
}

export function momentText(timeZone: string, at: Date): string {
  const { date, minuteOfDay } = localParts(at, timeZone)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${date} ${two(Math.floor(minuteOfDay / 60))}:${two(minuteOfDay % 60)}`
}

export function amountText({ i18n, tag }: { i18n: I18n; tag: string }, amount: Decimal, currency: string) {
  return i18n.amount(tag, amount, currency)
}

/** Whole for those who may call it, masked for the others. */
export function phoneText({ staff }: Pick<PageContext, 'staff'>, msisdn: string): string {
  return seesNumbers(staff) ? msisdn : maskMsisdn(msisdn)
}

export interface Column<Row> {
  title: string
  cell(row: Row): Markup | string | number
  /** Figures stand at the right. */
  figures?: true
}

export interface TableOptions {
  /** The page's own title says what the table is: only a screen reader hears it again. */
  isPage?: boolean
}

/** A table that becomes a list of cards on a narrow screen; what there is when it is empty is said in words. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  empty: string,
  { isPage = false }: TableOptions = {},
): Markup {
  if (rows.length === 0)
    return html`${isPage ? nothing : html`<h2>${caption}</h2>`}<p class="empty">${empty}</p>`
  const heads = columns.map(
    ({ title, figures }) => html`<th scope="col"${figures ? html` class="figures"` : nothing}>${title}</th>`,
  )
  const cellOf = ({ title, cell, figures }: Column<Row>, row: Row): Markup => {
    const content = html`${cell(row)}`.markup.trim()
    const inner = content === '' ? nothing : html`<span>${raw(content)}</span>`
    return html`<td data-title="${title}"${figures ? html` class="figures"` : nothing}>${inner}</td>`
  }
  const lines = rows.map((row) => html`<tr>${columns.map((column) => cellOf(column, row))}</tr>`)
  return html`<div class="wide"><table><caption${isPage ? html` class="unseen"` : nothing}>${caption}</caption><thead><tr>${heads}</tr></thead><tbody>${lines}</tbody></table></div>`
}

/** Facts about one thing; those without a value are left out. */
export function facts(
  list: readonly (readonly [title: string, value: Markup | string | undefined])[],
): Markup {
  return html`<dl>${list.flatMap(([title, value]) =>
    value === undefined || value === '' ? [] : [html`<div><dt>${title}</dt><dd>${value}</dd></div>`],
  )}</dl>`
}

/** A form that changes something: it carries the secret of the session. */
export function form(
  { csrf }: Pick<PageContext, 'csrf'>,
  path: string,
  body: Markup,
  { upload = false }: { upload?: boolean } = {},
): Markup {
  const type = upload ? html` enctype="multipart/form-data"` : nothing
  return html`<form method="post" action="/console${path}"${type}><input type="hidden" name="csrf" value="${csrf}">${body}</form>`
}

/** A form that only looks for something. */
export function searchForm(path: string, body: Markup): Markup {
  return html`<form method="get" action="/console${path}" class="search">${body}</form>`
}

export const button = (text: string, { danger = false } = {}): Markup =>
  html`<button type="submit"${danger ? html` class="danger"` : nothing}>${text}</button>`

let fields = 0

export interface FieldOptions {
  value?: string
  type?: 'text' | 'search' | 'tel' | 'number' | 'date' | 'time' | 'file'
  hint?: string
  /** Said beside the field, and to a screen reader with it. */
  fault?: string | undefined
  required?: boolean
  autocomplete?: string
  inputmode?: string
  maxlength?: number
  accept?: string
}

export function field(name: string, label: string, options: FieldOptions = {}): Markup {
  const { value = '', type = 'text', hint, fault, required = false } = options
  const id = nextId(name)
  const more = (['autocomplete', 'inputmode', 'maxlength', 'accept'] as const).flatMap((key) => {
    const set = options[key]
    return set === undefined ? [] : [html` ${key}="${set}"`]
  })
  const described = [
    ...(hint === undefined ? [] : [`${id}-hint`]),
    ...(fault === undefined ? [] : [`${id}-fault`]),
  ]
  return html`<div class="field"><label for="${id}">${label}</label>${
    hint === undefined ? nothing : html`<span class="hint" id="${id}-hint">${hint}</span>`
  }${fault === undefined ? nothing : html`<span class="fault" id="${id}-fault">${fault}</span>`}<input id="${id}" name="${name}" type="${type}"${
    type === 'file' ? nothing : html` value="${value}"`
  }${required ? html` required` : nothing}${more}${
    described.length === 0 ? nothing : html` aria-describedby="${described.join(' ')}"`
  }${fault === undefined ? nothing : html` aria-invalid="true"`}></div>`
}

export interface AreaOptions {
  value: string
  /** Of what is written in it. */
  language: string
  direction: 'ltr' | 'rtl'
  maxlength: number
}

/** Several lines of words. */
export function textArea(name: string, label: string, options: AreaOptions): Markup {
  const id = nextId(name)
  const { value, language, direction, maxlength } = options
  return html`<div class="field"><label for="${id}">${label}</label><textarea id="${id}" name="${name}" rows="3" lang="${language}" dir="${direction}" maxlength="${maxlength}">${value}</textarea></div>`
}

export interface Choice {
  value: string
  text: string
}

export function select(
  name: string,
  label: string,
  choices: readonly Choice[],
  chosen = '',
  hint?: string,
): Markup {
  const id = nextId(name)
  return html`<div class="field"><label for="${id}">${label}</label>${
    hint === undefined ? nothing : html`<span class="hint" id="${id}-hint">${hint}</span>`
  }<select id="${id}" name="${name}"${hint === undefined ? nothing : html` aria-describedby="${id}-hint"`}>${choices.map(
    ({ value, text }) =>
      html`<option value="${value}"${value === chosen ? html` selected` : nothing}>${text}</option>`,
  )}</select></div>`
}

export function checkbox(name: string, label: string, checked: boolean, value = 'yes'): Markup {
  const id = nextId(name)
  return html`<div class="field check"><input id="${id}" name="${name}" type="checkbox" value="${value}"${
    checked ? html` checked` : nothing
  }><label for="${id}">${label}</label></div>`
}

/** Several fields of one name may stand on a page; a label must find its own. */
function nextId(name: string): string {
  fields = (fields + 1) % 1_000_000
  return `${name.replace(/[^\w-]/g, '-')}-${fields}`
}

export const link = (path: string, text: string): Markup => html`<a href="/console${path}">${text}</a>`

/** A part that renews itself while it is looked at, and the part `also` with it; without JavaScript it stands as it was loaded. */
export function live(
  { address }: Pick<PageContext, 'address'>,
  id: string,
  body: Markup,
  also?: string,
): Markup {
  const beside = also === undefined ? nothing : html` hx-select-oob="#${also}"`
  return html`<section id="${id}" hx-get="/console${address}" hx-select="#${id}"${beside} hx-target="#${id}" hx-swap="outerHTML" hx-trigger="every 5s">${body}</section>`
}

/** What is not right with a form, above it and read out first. */
export function faultSummary(title: string, faults: readonly string[]): Markup {
  if (faults.length === 0) return nothing
  return html`<div class="faults" role="alert"><h2>${title}</h2><ul>${faults.map((fault) => html`<li>${fault}</li>`)}</ul></div>`
}

export const badge = (text: string, kind: 'good' | 'bad' | 'plain' = 'plain'): Markup =>
  html`<span class="badge ${kind}">${text}</span>`

/** The address of this page with some of its query changed; an empty value takes it away. */
export function withQuery(
  { query }: Pick<PageContext, 'query'>,
  path: string,
  change: Readonly<Record<string, string>>,
): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, ...change }))
    if (value !== '' && name !== 'done') parameters.set(name, value)
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}
