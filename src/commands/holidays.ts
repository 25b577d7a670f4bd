// `tama holidays COUNTRY YEAR`: public holidays as lines for a programme's YAML file.
import { type Register, UsageError, wholeNumber } from './command.ts'

/** Months of the Islamic calendar, as the library's rules name them. */
const moonRule = /muharram|safar|rabi|jumada|rajab|sha'?ban|ramadan|shawwal|dhu /i

export const registerHolidays: Register = (cli) => {
  cli
    .command('holidays <country> <year>', "Print a country's public holidays for a programme's YAML file")
    .example('tama holidays SN 2027')
    .example('tama holidays CA-QC 2027')
    .action(async (country: unknown, year: unknown) => {
      const asked = wholeNumber('The year', year, 1970, 2075)
      for (const line of await holidayLines(String(country).toUpperCase(), asked)) console.log(line)
    })
}

/** `place` is a country ("SN"), or one of its regions ("CA-QC"). Throws a UsageError for one that has no table. */
export async function holidayLines(place: string, year: number): Promise<string[]> {
  const { default: Holidays } = await import('date-holidays')
  const [country = '', region, ...rest] = place.split('-')
  const tables = new Holidays()
  if (rest.length > 0 || !Object.hasOwn(tables.getCountries(), country))
    throw new UsageError(`There is no table for "${place}": give an ISO 3166-1 code such as SN, HT or BE.`)
  const regions = Object.keys(tables.getStates(country) ?? {})
  if (region !== undefined && !regions.includes(region))
    throw new UsageError(`There is no table for "${place}". Of ${country} there are: ${regions.join(', ')}.`)
  const calendar = region === undefined ? new Holidays(country) : new Holidays(country, region)
  const names = new Map<string, string[]>()
  let followsMoon = false
  for (const { date, name, rule, type } of calendar.getHolidays(year)) {
    if (type !== 'public') continue
    const day = date.slice(0, 10)
    const marks = [name]
    if (moonRule.test(rule)) marks.push('follows the moon, confirm')
    // Work goes on until then: the programme decides.
    if (!date.slice(11).startsWith('00:00')) marks.push(`from ${date.slice(11, 16)}`)
    followsMoon ||= moonRule.test(rule)
    names.set(day, [...(names.get(day) ?? []), marks.join(', ')])
  }
  return [
    `# ${place}, ${year}: public holidays of the whole ${region === undefined ? 'country' : 'region'}, from the tables of date-holidays.`,
    ...(followsMoon
      ? [
          '# Dates that follow the moon are computed and may be a day or two off: confirm each before it counts.',
        ]
      : []),
    'holidays:',
    ...[...names].sort().map(([day, said]) => `  - "${day}" # ${said.join('; ')}`),
  ]
}
