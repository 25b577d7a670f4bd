// In: an ISO 3166-1 code. Out: what the country's networks do with SMS, where a source says so. A programme's own settings win.

export interface CountryProfile {
  /** Networks put the parts of a long SMS together; where they do not, a text has one segment. */
  joinsSms: boolean
  /** Members can answer by SMS. */
  twoWaySms: boolean
  /** Minutes of the day between which an SMS that nobody asked for may arrive. */
  fromMinute: number
  untilMinute: number
  source: string
}

const twilio = (code: string) => `Twilio, SMS guidelines, ${code} (read in November 2026)`
const allDay = { fromMinute: 0, untilMinute: 1_440 }

const profiles: Readonly<Record<string, CountryProfile>> = {
  SN: {
    joinsSms: false,
    twoWaySms: false,
    fromMinute: 360,
    untilMinute: 1_320,
    source:
      'sent.dm, Senegal SMS guide: single part only, no two-way SMS, quiet from 22:00 to 06:00; ask your aggregator',
  },
  GN: { joinsSms: false, twoWaySms: false, ...allDay, source: twilio('gn') },
  GM: { joinsSms: true, twoWaySms: false, ...allDay, source: twilio('gm') },
  HT: { joinsSms: true, twoWaySms: false, ...allDay, source: twilio('ht') },
  CD: { joinsSms: true, twoWaySms: false, ...allDay, source: twilio('cd') },
  CG: { joinsSms: true, twoWaySms: false, ...allDay, source: twilio('cg') },
  ET: { joinsSms: true, twoWaySms: false, ...allDay, source: twilio('et') },
  BE: {
    joinsSms: true,
    twoWaySms: true,
    ...allDay,
    source: 'common practice of European networks; ask your aggregator',
  },
  FR: {
    joinsSms: true,
    twoWaySms: true,
    fromMinute: 480,
    untilMinute: 1_320,
    source: 'common practice of French networks, none between 22:00 and 08:00; ask your aggregator',
  },
  CA: {
    joinsSms: true,
    twoWaySms: true,
    ...allDay,
    source: 'common practice of Canadian networks; ask your aggregator',
  },
}

/** Of a country that no source speaks of, the least is expected. */
const unknown: CountryProfile = {
  joinsSms: false,
  twoWaySms: false,
  ...allDay,
  source: 'nothing is known of this country; ask your aggregator',
}

export function countryProfile(country: string): CountryProfile {
  return profiles[country] ?? unknown
}

/** Parts that one SMS of a full text may have there, where a programme says nothing else. */
export function segmentsMaxOf(country: string): number {
  return countryProfile(country).joinsSms ? 3 : 1
}
