// In: the programmes. Out: those whose codes a dial could mix up.
import { StartError } from '../errors.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'

/** Refuses (StartError) two programmes whose codes are equal, or where a dial of one could be a deep dial into the other. */
export function checkServiceCodes(programmes: readonly Pick<ProgrammeInfo, 'code' | 'serviceCode'>[]): void {
  const faults = serviceCodeFaults(programmes)
  if (faults.length > 0) throw new StartError('The service codes cannot be used', faults)
}

export function serviceCodeFaults(
  programmes: readonly Pick<ProgrammeInfo, 'code' | 'serviceCode'>[],
): string[] {
  const faults: string[] = []
  for (const { code, serviceCode } of programmes)
    if (!/^\*\d+(\*\d+)*$/.test(serviceCode))
      faults.push(`programme ${code}: the code "${serviceCode}" must look like *384*1, without "#"`)
  for (const [index, one] of programmes.entries())
    for (const other of programmes.slice(index + 1)) {
      const [short, long] = one.serviceCode.length <= other.serviceCode.length ? [one, other] : [other, one]
      if (short.serviceCode === long.serviceCode)
        faults.push(`programmes ${one.code} and ${other.code}: both have ${one.serviceCode}#`)
      else if (long.serviceCode.startsWith(`${short.serviceCode}*`))
        faults.push(
          `programmes ${short.code} and ${long.code}: ${long.serviceCode}# is a deep dial into ${short.serviceCode}#`,
        )
    }
  return faults
}
