// In: parts of a page. Out: markup in which every text is escaped. Must never put a text there that was not.

/** Markup that is safe to put into a page; only `html` and `raw` make it. */
export interface Markup {
  readonly markup: string
}

export const raw = (markup: string): Markup => ({ markup })

/** Texts are escaped, markup and lists of it are put in as they are. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (Markup | readonly Markup[] | string | number)[]
): Markup {
  const filled = values.map((value, index) => written(value) + (parts[index + 1] ?? ''))
  return raw((parts[0] ?? '') + filled.join(''))
}

function written(value: Markup | readonly Markup[] | string | number): string {
  if (typeof value === 'object')
    return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('')
  return String(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
