// In: parts of a page. Out: one HTML file without scripts or anything from outside, for a small screen and for paper.
// Must never put a text there that was not escaped.

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

export function page(title: string, language: string, style: string, body: Markup): string {
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
${body}
</body>
</html>
`.markup
}

/** Each line by its own direction, as phones do: a line of digits keeps to the left, one of Arabic to the right. */
export function lines(text: string): Markup[] {
  return text.split('\n').map((line) => html`<div class="line">${line === '' ? '\u00a0' : line}</div>`)
}
