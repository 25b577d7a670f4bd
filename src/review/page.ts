// In: parts of a page. Out: one HTML file without scripts or anything from outside, for a small screen and for paper.
import { html, type Markup, raw } from '../markup.ts'

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
