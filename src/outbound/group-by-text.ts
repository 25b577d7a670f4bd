// In: decided messages. Out: groups that one provider call can carry.
import type { Entry } from './calls.ts'

/** Same text from the same sender goes in one call; a number stands once in a call, so that its answer names one message. */
export function groupByText(entries: readonly Entry[], recipientsMax: number): Entry[][] {
  if (recipientsMax === 1) return entries.map((entry) => [entry])
  const open = new Map<string, { entries: Entry[]; msisdns: Set<string> }[]>()
  for (const entry of entries) {
    const key = `${entry.senderId}\n${entry.text}`
    const groups = open.get(key) ?? []
    open.set(key, groups)
    let group = groups.find(
      ({ entries, msisdns }) => entries.length < recipientsMax && !msisdns.has(entry.msisdn),
    )
    if (group === undefined) {
      group = { entries: [], msisdns: new Set() }
      groups.push(group)
    }
    group.entries.push(entry)
    group.msisdns.add(entry.msisdn)
  }
  return [...open.values()].flat().map((group) => group.entries)
}
