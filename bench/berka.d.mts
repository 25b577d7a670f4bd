export const berkaFolder: string | undefined
export function writeBerkaFiles(target: string): {
  members: string
  loans: string
  entries: string
  transactions: number
}
