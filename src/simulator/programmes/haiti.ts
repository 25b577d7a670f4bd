// The people of the Haitian demo programme: names, places and sums as they are met there; nobody in particular.
import { demoPeople } from '../demo-members.ts'
import { type LocalProfile, words } from '../profile.ts'

export const haiti: LocalProfile = {
  title: { en: 'Haiti', fr: 'Haïti' },
  size: 200,
  letter: 'H',
  peoples: [
    {
      share: 100,
      men: words('Jean, Wilner, Frantz, Emmanuel, Jocelyn'),
      firstNames: words(
        'Marie, Rose, Nadège, Guerda, Yolande, Fabiola, Mirlande, Carline, Jocelyne, Ketly, Wideline, Magalie, Darline, Islande, Solange, Roselaure',
      ),
      lastNames: words(
        'Jean, Pierre, Joseph, Louis, Charles, Baptiste, Augustin, Désir, Toussaint, Estimé, Cadet, Dorvil, Exantus, Mésidor, Célestin',
      ),
    },
  ],
  menShare: 0.08,
  places: words(
    'Carrefour, Delmas, Kenscoff, Léogâne, Petit-Goâve, Jacmel, Gressier, Cabaret, Arcahaie, Mirebalais, Hinche, Marigot, Thomazeau, Saint-Marc',
  ),
  groupNames: words('Tèt Ansanm, Men Kontre, Fanm Vanyan, Limyè, Espwa, Kouraj, Solèy Leve, Zanmi'),
  meetingPlaces: words('Lekòl la, Legliz la, Sal kominote, Kay prezidan an, Mache a'),
  facilitatorNames: [
    ['Nadège', 'Estimé'],
    ['Wilner', 'Cadet'],
  ],
  staffLanguage: 'ht',
  languageShares: { ht: 60, fr: 15, none: 25 },
  farms: true,
  money: {
    unit: 200,
    interestPercent: 2,
    feePercent: 3,
    takesSavings: true,
    products: { standard: 85, interestFree: 5, seasonal: 10 },
  },
  numbers: {
    start: '+509',
    prefixes: words('34, 36, 37, 38, 39, 41, 42, 43, 44, 46, 47, 48'),
    digits: 6,
    reserved: 100_000,
    staffFrom: 5_000_000,
  },
  demo: demoPeople('+509340001', [
    ['Mirlande', 'Joseph', '01', 'ht', 'due_in_three_days'],
    ['Carline', 'Pierre', '02', undefined, 'first_time'],
    ['Guerda', 'Louis', '03', 'ht', 'usual'],
    ['Yolande', 'Louis', '03', 'fr', 'usual'],
    ['Islande', 'Charles', '03', 'ht', 'usual'],
    ['Rose', 'Augustin', '04', 'ht', 'suspended'],
    ['Fabiola', 'Dorvil', '05', 'fr', 'usual'],
    ['Ketly', 'Toussaint', '06', 'ht', 'usual'],
    ['Solange', 'Mésidor', '07', 'fr', 'overpaid'],
    ['Darline', 'Cadet', '08', 'ht', 'corrected'],
  ]),
}
