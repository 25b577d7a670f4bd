// The people of the Belgian demo programme: migrant entrepreneurs, women and men, of many origins; nobody in particular.
import { demoPeople } from '../demo-members.ts'
import { type LocalProfile, newcomers, words } from '../profile.ts'

export const belgium: LocalProfile = {
  title: { en: 'Belgium', fr: 'Belgique' },
  size: 200,
  letter: 'B',
  peoples: newcomers,
  menShare: 0.45,
  places: words(
    'Molenbeek, Schaerbeek, Anderlecht, Saint-Gilles, Gent, Antwerpen, Mechelen, Liège, Charleroi, Namur',
  ),
  groupNames: words('Cercle, Atelier, Ensemble, Samen, Réseau'),
  meetingPlaces: words('Maison de quartier, Buurthuis, Bibliothèque, Espace de travail'),
  facilitatorNames: [
    ['Samira', 'El Amrani'],
    ['Pieter', 'Claes'],
  ],
  staffLanguage: 'fr',
  languageShares: { fr: 24, nl: 14, en: 10, ar: 16, ps: 6, 'fa-AF': 8, ur: 6, none: 16 },
  farms: false,
  money: {
    unit: 10,
    interestPercent: 0,
    feePercent: 4,
    takesSavings: false,
    products: { standard: 0, interestFree: 100, seasonal: 0 },
  },
  numbers: {
    start: '+32',
    prefixes: ['47', '48', '49'],
    digits: 7,
    reserved: 100_000,
    staffFrom: 20_000_000,
  },
  demo: demoPeople('+324700001', [
    ['Rania', 'Haddad', '01', 'ar', 'due_in_three_days'],
    ['Chantal', 'Ilunga', '02', undefined, 'first_time'],
    ['Khadija', 'Bennani', '03', 'fr', 'usual'],
    ['Youssef', 'Bennani', '03', 'nl', 'usual'],
    ['Imane', 'Bennani', '03', 'fr', 'usual'],
    ['Diane', 'Niyonzima', '04', 'fr', 'suspended'],
    ['Zarmina', 'Stanekzai', '05', 'ps', 'usual'],
    ['Farid', 'Rahimi', '06', 'fa-AF', 'usual'],
    ['Sadia', 'Malik', '07', 'ur', 'overpaid'],
    ['Hassan', 'Amrani', '08', 'nl', 'corrected'],
    ['Aline', 'Mbuyi', '09', 'fr', 'usual'],
    ['Grace', 'Okafor', '10', 'en', 'usual'],
  ]),
}
