// The people of the French demo programme: refugees and newcomers who start a business; nobody in particular.
import { demoPeople } from '../demo-members.ts'
import { type LocalProfile, newcomers, words } from '../profile.ts'

export const france: LocalProfile = {
  title: { en: 'France', fr: 'France' },
  size: 200,
  letter: 'A',
  peoples: newcomers,
  menShare: 0.5,
  places: words(
    'Saint-Denis, Montreuil, Évry, Lyon, Villeurbanne, Marseille, Toulouse, Lille, Roubaix, Strasbourg, Nantes',
  ),
  groupNames: words('Cercle, Atelier, Ensemble, Réseau, Envie'),
  meetingPlaces: words('Maison de quartier, Médiathèque, Centre social, Pépinière'),
  facilitatorNames: [
    ['Leïla', 'Mansouri'],
    ['Thomas', 'Girard'],
  ],
  staffLanguage: 'fr',
  languageShares: { fr: 30, en: 10, ar: 20, ps: 9, 'fa-AF': 12, ur: 6, none: 13 },
  farms: false,
  money: {
    unit: 20,
    interestPercent: 0,
    feePercent: 5,
    takesSavings: false,
    products: { standard: 0, interestFree: 100, seasonal: 0 },
  },
  numbers: {
    start: '+33',
    prefixes: ['60', '61', '62', '76', '78'],
    digits: 7,
    reserved: 100_000,
    staffFrom: 40_000_000,
  },
  demo: demoPeople('+336000001', [
    ['Shabnam', 'Ahmadi', '01', 'fa-AF', 'due_in_three_days'],
    ['Amal', 'Khoury', '02', undefined, 'first_time'],
    ['Nour', 'Darwish', '03', 'ar', 'usual'],
    ['Sami', 'Darwish', '03', 'fr', 'usual'],
    ['Hiba', 'Darwish', '03', 'ar', 'usual'],
    ['Joséphine', 'Kabongo', '04', 'fr', 'suspended'],
    ['Selam', 'Tesfaye', '05', 'en', 'usual'],
    ['Omar', 'Haddad', '06', 'ar', 'usual'],
    ['Gul', 'Safi', '07', 'ps', 'overpaid'],
    ['Ayesha', 'Qureshi', '08', 'ur', 'corrected'],
    ['Marie-Louise', 'Nsimba', '09', 'fr', 'usual'],
  ]),
}
