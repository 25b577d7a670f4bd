// In: what a member typed. Out: the same in small plain letters, so that STOP, Arrêt and "arret." can be compared.

/** More than any keyword needs; the rest of a long text is not looked at. */
const charactersMax = 200

/** Small letters without accents or signs, words parted by one space. A lone "?" stays: it asks for help. */
export function fold(text: string): string {
  const trimmed = text.slice(0, charactersMax).trim()
  if (/^\?+$/.test(trimmed)) return '?'
  return (
    trimmed
      // Some networks hand over GSM-7 bytes as Latin-1: their 0x00, "@", arrives as "¡".
      .replaceAll('¡', '@')
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replaceAll('œ', 'oe')
      .replaceAll('ŋ', 'ng')
      // Keyboards for Arabic, Persian and Urdu write these letters differently.
      .replace(/[يى]/g, 'ی')
      .replaceAll('ك', 'ک')
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
  )
}
