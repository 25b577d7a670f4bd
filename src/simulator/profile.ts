// What the seeder must know of a programme beyond its settings: people, places, sums and numbers of its country.
import type { Described } from '../imports/programme.ts'
import type { DemoPeople } from './demo-members.ts'

export const words = (text: string): readonly string[] => text.trim().split(/\s*,\s*/)

export interface People {
  firstNames: readonly string[]
  men: readonly string[]
  lastNames: readonly string[]
  /** Of all members, out of 100. */
  share: number
}

/** Sums follow from one unit of money; the ratios between them are the same everywhere. */
export interface MoneyTerms {
  /** First loans are 80 to 100 of it, the largest 450. */
  unit: number
  /** Of the principal, in a period of 28 days. */
  interestPercent: number
  /** Of the principal, once, on interest-free loans. */
  feePercent: number
  takesSavings: boolean
  /** Weights. Without any "standard", every loan but the emergency one is free of interest. */
  products: Readonly<Record<'standard' | 'interestFree' | 'seasonal', number>>
}

/** A row of mobile numbers. */
export interface NumberRow {
  /** The country's code, "+221". */
  start: string
  prefixes: readonly string[]
  /** Behind the prefix. */
  digits: number
  /** The first so many of each prefix stay free, also of the demo's fixed phones. */
  reserved: number
  /** Place in the row from which facilitators get theirs; members' come before it. */
  staffFrom: number
}

export interface LocalProfile {
  /** What the phone page calls it. */
  title: Readonly<Record<'en' | 'fr', string>>
  /** Members, unless another number is asked for. */
  size: number
  /** Before every member's number. */
  letter: string
  peoples: readonly [People, ...People[]]
  menShare: number
  places: readonly string[]
  groupNames: readonly string[]
  meetingPlaces: readonly string[]
  facilitatorNames: readonly (readonly [firstName: string, lastName: string])[]
  staffLanguage: string
  /** Weights of languages; "none" has not chosen yet. */
  languageShares: Readonly<Record<string, number>>
  /** Trainings speak of season and harvest. */
  farms: boolean
  money: MoneyTerms
  numbers: NumberRow
  demo: DemoPeople
}

/** Every demo programme, in the order of the phone page; the first is the one that a demo shows by itself. */
export const profileNames = ['casamance', 'haiti', 'belgium', 'france', 'quebec'] as const

export type ProfileName = (typeof profileNames)[number]

export interface Profile extends LocalProfile {
  name: ProfileName
  programme: Described
}

/** Newcomers to Belgium and France, as the programmes there describe them. */
export const newcomers: LocalProfile['peoples'] = [
  {
    share: 40,
    men: words('Youssef, Hassan, Omar, Ahmad, Sami, Khaled, Mohamed'),
    firstNames: words('Khadija, Rania, Amal, Nour, Samira, Imane, Hiba, Fatima'),
    lastNames: words('Haddad, Khoury, Bennani, Amrani, Darwish, Mansouri, Alaoui, Nasser'),
  },
  {
    share: 25,
    men: words('Farid, Hamid, Nasir, Zahir, Jawad'),
    firstNames: words('Shabnam, Zarmina, Gul, Parwana, Laila, Mina'),
    lastNames: words('Ahmadi, Rahimi, Safi, Stanekzai, Karimi, Noori'),
  },
  {
    share: 10,
    men: words('Bilal, Imran, Usman, Tariq'),
    firstNames: words('Sadia, Ayesha, Saima, Nadia'),
    lastNames: words('Malik, Qureshi, Butt, Sheikh'),
  },
  {
    share: 25,
    men: words('Patrick, Éric, Jean-Claude, Serge, Emmanuel'),
    firstNames: words('Chantal, Diane, Aline, Grace, Joséphine, Selam, Marie-Louise'),
    lastNames: words('Ilunga, Mbuyi, Kabongo, Niyonzima, Okafor, Tesfaye, Nsimba'),
  },
]
